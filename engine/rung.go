package engine

import (
	"encoding/json"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/salesforce"
)

// rungs remembers, per object of an org, the strongest precondition that the
// org was seen to honour inside a composite.
type rungs map[string]weir.Rung

func decodeRungs(b []byte) (rungs, error) {
	r := rungs{}
	if len(b) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("decode capabilities: %w", err)
	}
	return r, nil
}

// probes lists a record of each object of which it is not known yet how the org guards
// writes. The question rides in the call that checks before the first write.
func (r reads) probes(known rungs) []salesforce.Probe {
	var list []salesforce.Probe
	asked := map[string]bool{}
	for _, t := range r.targets {
		o := t.step.Object
		if t.args.Action == weir.ActDelete || known[o] != "" || asked[o] { // DELETE takes no condition (wire reference, section 4.1)
			continue
		}
		asked[o] = true
		list = append(list, salesforce.Probe{Object: o, ID: t.step.Record})
	}
	return list
}

// learn keeps what the probes gave. Where the org answers 412 it honours conditions;
// elsewhere the rung falls to reading and comparing.
func (r reads) learn(s *settlement, probes []salesforce.Probe, answers []salesforce.ProbeAnswer) {
	for i, p := range probes {
		rung := weir.RungReadCompare
		switch {
		case answers[i].Fault != nil:
			for _, t := range r.targets {
				if t.step.Object == p.Object && t.step.Record == p.ID {
					t.probe = answers[i].Fault
				}
			}
			continue
		case answers[i].Honours && p.Object == "Account": // the only object with documented ETags
			rung = weir.RungIfMatch
		case answers[i].Honours:
			rung = weir.RungUnmodified
		}
		if s.Rungs == nil {
			s.Rungs = map[string]weir.Rung{}
		}
		s.Rungs[p.Object] = rung
	}
}
