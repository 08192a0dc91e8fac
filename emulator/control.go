package emulator

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"slices"
	"strconv"
)

// Control serves what only the tester may do: inject faults, act as another
// user or integration, and read the truth. It is a handler of its own, so that
// it can be kept off the address that the API is on.
//
//	POST /faults       {"kind","count","match":{"method","kind","object","writes"}}
//	PUT  /faults       [{"kind","at","times","after","for","match"}], durations in ns
//	POST /neighbour    {"calls"}
//	POST /touch        {"object","id","fields","automated"}
//	POST /records      {"object","fields"} → {"id"}
//	GET  /records/{object}/{id}
//	POST /credentials  {"valid"}         GET /credentials
//	POST /sessions/expire
//	POST /keys         a public key in PEM
//	POST /permissions  {"object","action","allowed"}
//	POST /schema       {"object","field","attribute","value"}
//	GET  /truth, /log?after=SEQ, /subjects
func (o *Org) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /truth", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, o.Truth()) })
	mux.HandleFunc("GET /subjects", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, o.Subjects()) })
	mux.HandleFunc("GET /credentials", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, o.Credentials()) })
	mux.HandleFunc("GET /log", o.controlLog)
	mux.HandleFunc("GET /records/{object}/{id}", o.controlRecord)
	mux.HandleFunc("POST /keys", o.controlKey)
	mux.HandleFunc("POST /sessions/expire", func(w http.ResponseWriter, _ *http.Request) {
		o.ExpireSessions()
		w.WriteHeader(http.StatusNoContent)
	})
	control(mux, "PUT /faults", func(in FaultScript) (any, string) {
		o.SetFaults(in)
		return nil, ""
	})
	control(mux, "POST /faults", o.controlInject)
	control(mux, "POST /neighbour", func(in struct{ Calls int }) (any, string) {
		o.Neighbour(in.Calls)
		return nil, ""
	})
	control(mux, "POST /credentials", func(in struct{ Valid bool }) (any, string) {
		o.SetCredentialsValid(in.Valid)
		return nil, ""
	})
	control(mux, "POST /touch", o.controlTouch)
	control(mux, "POST /records", o.controlPut)
	control(mux, "POST /permissions", o.controlPermission)
	control(mux, "POST /schema", o.controlSchema)
	return mux
}

// control registers an action that reads JSON and answers JSON, nothing, or why
// it refused.
func control[T any](mux *http.ServeMux, pattern string, act func(T) (any, string)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, req *http.Request) {
		var in T
		dec := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBody))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, refused := act(in)
		switch {
		case refused != "":
			http.Error(w, refused, http.StatusBadRequest)
		case out == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, out)
		}
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	r := jsonReply(http.StatusOK, v)
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(r.body); err != nil {
		return // the caller has gone
	}
}

func (o *Org) controlInject(in struct {
	Kind  Fault
	Count int
	Match Match
},
) (any, string) {
	if !slices.Contains(Faults(), in.Kind) {
		return nil, "no such fault"
	}
	o.InjectNext(in.Kind, max(in.Count, 1), in.Match)
	return nil, ""
}

func (o *Org) controlTouch(in struct {
	Object, ID string
	Fields     map[string]any
	Automated  bool
},
) (any, string) {
	done := false
	if in.Automated {
		done = o.TouchByAutomation(in.Object, in.ID)
	} else {
		done = o.Touch(in.Object, in.ID, in.Fields)
	}
	if !done {
		return nil, "no such live record or field"
	}
	return nil, ""
}

func (o *Org) controlPut(in struct {
	Object string
	Fields map[string]any
},
) (any, string) {
	now, unlock := o.lock()
	defer unlock()
	r, err := o.put(in.Object, in.Fields, now)
	if err != nil {
		return nil, err.Error()
	}
	return map[string]string{"id": r.id}, ""
}

func (o *Org) controlPermission(in struct {
	Object, Action string
	Allowed        bool
},
) (any, string) {
	if in.Allowed {
		o.AllowObject(in.Object, in.Action)
	} else {
		o.DenyObject(in.Object, in.Action)
	}
	return nil, ""
}

func (o *Org) controlSchema(in struct {
	Object, Field, Attribute string
	Value                    any
},
) (any, string) {
	if err := o.AlterField(in.Object, in.Field, in.Attribute, in.Value); err != nil {
		return nil, err.Error()
	}
	return nil, ""
}

func (o *Org) controlLog(w http.ResponseWriter, req *http.Request) {
	after, err := strconv.Atoi(req.FormValue("after"))
	if err != nil && req.FormValue("after") != "" {
		http.Error(w, "after wants a number", http.StatusBadRequest)
		return
	}
	writeJSON(w, o.logAfter(after))
}

func (o *Org) controlRecord(w http.ResponseWriter, req *http.Request) {
	r, ok := o.Record(req.PathValue("object"), req.PathValue("id"))
	if !ok {
		http.NotFound(w, req)
		return
	}
	writeJSON(w, r)
}

func (o *Org) controlKey(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxHead))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	block, _ := pem.Decode(body)
	if block == nil {
		http.Error(w, "no PEM block", http.StatusBadRequest)
		return
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok {
		http.Error(w, "not an RSA public key", http.StatusBadRequest)
		return
	}
	o.RegisterKey(public)
	w.WriteHeader(http.StatusNoContent)
}
