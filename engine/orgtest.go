package engine

import (
	"context"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/datamap"
	"github.com/weirhq/weir/salesforce"
)

// OrgReport is what a look at an org found: who we are there, and what the data
// map needs and the integration user may not do.
type OrgReport struct {
	Org      weir.OrgID
	Identity salesforce.Identity
	Fault    *weir.Fault // why the org could not be asked; nil when it could
	Missing  []Missing
	Findings []datamap.Finding
	Calls    int
}

// Missing is one permission that a mapped step would need.
type Missing struct {
	Object string
	Need   string // read, update or delete
	For    string // what the data map wants to do with it
}

// TestOrg signs in, describes every mapped object and names the permissions
// that are missing. It also checks the data map against the describe. The calls
// are few, and counted.
func (e *Engine) TestOrg(ctx context.Context, id weir.OrgID) (OrgReport, error) {
	l, err := e.lane(id)
	if err != nil {
		return OrgReport{}, err
	}
	rep := OrgReport{Org: id}
	if _, err := e.reloadCredentials(l); err != nil {
		return rep, err
	}
	if err := e.renew(ctx, l); err != nil {
		return rep, err
	}
	ans, who := l.client.Identity(ctx)
	ans.Detail.Clear()
	rep.Identity = who
	if err := e.seen(ctx, l, ans, &rep); err != nil || rep.Fault != nil {
		return rep, err
	}
	names := l.Map.ObjectNames()
	ans, schemas, faults := l.client.Describe(ctx, names)
	ans.Detail.Clear()
	if err := e.seen(ctx, l, ans, &rep); err != nil || rep.Fault != nil {
		return rep, err
	}
	byName := map[string]weir.ObjectSchema{}
	for _, s := range schemas {
		byName[s.Name] = s
	}
	for i, name := range names {
		if faults[i] != nil {
			rep.Missing = append(rep.Missing, Missing{Object: name, Need: "read", For: "discovery"})
		}
	}
	rep.Missing = append(rep.Missing, missing(l.Map, byName)...)
	rep.Findings = l.Map.Check(byName)
	return rep, nil
}

// seen records an answer that no step asked for, so that its readings count.
func (e *Engine) seen(ctx context.Context, l *lane, ans salesforce.Answer, rep *OrgReport) error {
	s := settlement{Org: l.ID, Jitter: e.jitter()}
	s.take(ans)
	rep.Calls += ans.Calls
	rep.Fault = s.Fault
	if _, err := e.observeAlone(ctx, l, s, "org.test"); err != nil {
		return fmt.Errorf("test of %s: %w", l.ID, err)
	}
	return nil
}

// missing compares what the data map does with what describe allows.
func missing(m *datamap.Map, schemas map[string]weir.ObjectSchema) []Missing {
	var out []Missing
	for _, o := range m.Objects() {
		s, ok := schemas[o.Name]
		if !ok {
			continue
		}
		if !s.Queryable {
			out = append(out, Missing{o.Name, "read", "discovery"})
		}
		if o.Erase == nil {
			continue
		}
		switch o.Erase.How {
		case weir.ActDelete:
			if !s.Deletable {
				out = append(out, Missing{o.Name, "delete", "erasure"})
			}
		case weir.ActAnonymise, weir.ActUnlink:
			if !s.Updateable {
				out = append(out, Missing{o.Name, "update", "erasure"})
			}
		case weir.ActExport, weir.ActWithhold:
		}
	}
	return out
}
