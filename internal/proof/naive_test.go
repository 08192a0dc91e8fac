package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// naiveOrders is what the naive client is told.
type naiveOrders struct {
	API    string   `json:"api"`
	Client string   `json:"client"`
	Secret string   `json:"secret"`
	Done   string   `json:"done"`     // file of the contacts that it has marked as done
	IDs    []string `json:"contacts"` // to anonymise
}

// naive is what most scripts do: call, and then mark the call as done. It
// survives being killed without losing anything, tries again whatever fails,
// and never asks what became of a call that it got no answer to.
func naive(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var todo naiveOrders
	if err := json.Unmarshal(text, &todo); err != nil {
		return err
	}
	marks, err := os.OpenFile(todo.Done, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	done, err := io.ReadAll(marks)
	if err != nil {
		return err
	}
	fmt.Println(`{"naive":true}`)
	token := ""
	for _, id := range todo.IDs {
		for !strings.Contains(string(done), id) {
			if token == "" {
				token = signIn(todo)
			}
			status := anonymise(todo.API, token, id)
			if status == http.StatusNoContent {
				break
			}
			if status == http.StatusUnauthorized {
				token = ""
			}
			time.Sleep(20 * time.Millisecond)
		}
		if strings.Contains(string(done), id) {
			continue
		}
		if _, err := fmt.Fprintln(marks, id); err != nil {
			return err
		}
		if err := marks.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// signIn returns a token, or nothing when that went wrong.
func signIn(todo naiveOrders) string {
	secret, err := os.ReadFile(todo.Secret)
	if err != nil {
		return ""
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {todo.Client}, "client_secret": {strings.TrimSpace(string(secret))}}
	resp, err := http.PostForm(todo.API+"/services/oauth2/token", form)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }() // naive
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return ""
	}
	return answer.Token
}

// anonymise sends one write and returns the status, or 0 when none came.
func anonymise(api, token, id string) int {
	body := []byte(`{"FirstName":null,"LastName":"Erased","Email":null,"Phone":null,"Birthdate":null}`)
	req, err := http.NewRequest(http.MethodPatch, api+"/services/data/v66.0/sobjects/Contact/"+id, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close() // naive
	return resp.StatusCode
}

// naiveDoubles kills the naive client as weir is killed, and fails when the
// org's truth shows no doubled write: then the harness would be blind.
func naiveDoubles(t *testing.T, program string, f form) {
	ctx, cancel := context.WithTimeout(t.Context(), f.within)
	defer cancel()
	o := startOrg(t, program, f)
	orders := writeOrders(t, o)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h, kills := newHunter(o, f.seed), 0
	log := filepath.Join(t.TempDir(), "naive.log")
	for {
		p := launch(t, log, []string{naiveVariable + "=" + orders}, self)
		if err := p.ready(&struct{}{}); err != nil {
			t.Fatalf("%v\n%s", err, tail(log))
		}
		if kills < f.kills {
			watch, enough := context.WithCancelCause(ctx)
			go func() { <-p.ended; enough(errFinished) }() // ends with the client
			err = h.aim(watch)
			enough(nil)
			p.kill()
			kills++
		} else {
			err = finish(ctx, p)
		}
		if errors.Is(err, errFinished) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	truth := o.truth()
	doubled := truth.Doubled()
	if len(doubled) == 0 {
		t.Errorf("%d kills of a naive client and not one doubled write: the harness is broken", kills)
	}
	t.Logf("naive client: %d contacts, %d kills, %d doubled; faults shown: %v", len(o.people)*2, kills, len(doubled), truth.Faults)
}

var errFinished = errors.New("the naive client has finished")

func finish(ctx context.Context, p *process) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.ended:
		if p.err != nil {
			return p.err
		}
		return errFinished
	}
}

func writeOrders(t *testing.T, o *org) (file string) {
	t.Helper()
	dir := t.TempDir()
	todo := naiveOrders{API: o.api, Client: o.client, Secret: o.secret, Done: filepath.Join(dir, "done")}
	for _, p := range o.people {
		todo.IDs = append(todo.IDs, p.Records["Contact"]...)
	}
	text, err := json.Marshal(todo)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "orders.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
