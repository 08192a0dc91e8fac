package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/crash"
	"github.com/weirhq/weir/internal/ledger"
	"github.com/weirhq/weir/internal/store"
)

// Certificate reads the signed certificate of a request.
func (e *Engine) Certificate(ctx context.Context, id weir.RequestID) ([]byte, error) {
	var doc string
	err := e.view(ctx, func(tx *store.Tx) error {
		if _, err := tx.Request(id); err != nil {
			return err
		}
		var err error
		doc, err = tx.Setting(certificateKey(id))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", id, err)
	}
	return []byte(doc), nil
}

// certify signs what was done for a request and ties it to the ledger. Entries
// are numbered and a checkpoint is signed first, so that the certificate can
// quote them; no other node may number more in between.
func (e *Engine) certify(ctx context.Context, r weir.Request, pkg *delivered) ([]byte, error) {
	if err := e.sequence(ctx); err != nil {
		return nil, err
	}
	var doc []byte
	err := e.transact(ctx, crash.Certify, func(tx *store.Tx) error {
		if err := tx.HoldLedger(); err != nil {
			return err
		}
		if err := numberAll(tx); err != nil { // another node was elected when ours asked
			return err
		}
		if err := e.checkpoint(tx, true); err != nil {
			return err
		}
		c, err := e.certificate(tx, r, pkg)
		if err != nil {
			return err
		}
		doc, err = ledger.Sign(c, e.signer)
		return err
	})
	return doc, err
}

func (e *Engine) certificate(tx *store.Tx, r weir.Request, pkg *delivered) (ledger.Certificate, error) {
	c := ledger.Certificate{
		Request: r.ID, Org: r.Org, Right: r.Right, Law: r.Law, Subject: r.Subject,
		ReceivedAt: r.ReceivedAt, DueAt: r.DueAt, CompletedAt: tx.Now(), PlanHash: r.PlanHash,
	}
	p, err := tx.Plan(r.ID, r.PlanHash)
	if err != nil {
		return c, err
	}
	c.MapHash, c.DescribeHash = p.MapHash, p.DescribeHash
	approvals, err := tx.Approval(r.ID, r.PlanHash)
	if err != nil {
		return c, err
	}
	for _, a := range approvals {
		c.Approvals = append(c.Approvals, ledger.CertApproval{By: a.By, At: a.At, Note: a.Note})
	}
	entries, err := tx.EntriesOf(r.ID)
	if err != nil {
		return c, err
	}
	if err := certItems(tx, &c, p, entries); err != nil {
		return c, err
	}
	if r.Right.Mutates() {
		if err := proofItems(tx, &c, r); err != nil {
			return c, err
		}
		c.Unproven = append(c.Unproven, beyondReach()...)
	} else if err := readItems(tx, &c, r); err != nil {
		return c, err
	}
	if pkg != nil {
		c.Package = &ledger.PackageRef{SHA256: pkg.ref.Digest, Size: pkg.ref.Size, Records: pkg.records}
	}
	return c, quote(tx, &c, entries)
}

// certItems tells for each item of the plan how it ended.
func certItems(tx *store.Tx, c *ledger.Certificate, p weir.Plan, entries []weir.Entry) error {
	var done deeds
	if p.Right.Mutates() {
		var err error
		if done, err = deedsOf(tx, p.Request, entries); err != nil {
			return err
		}
	}
	for _, it := range p.Items {
		item := ledger.CertItem{
			Object: it.Object, Record: it.Record, Count: it.Count, Digest: it.Digest,
			Action: it.Action, Reason: it.Reason, At: c.CompletedAt,
		}
		st := done.steps[it.Record]
		if n, ok := done.ended[st.ID]; ok {
			item.At, item.Entry = n.At, n.Seq
		}
		item.Outcome = itemOutcome(it, st, done.ended[st.ID])
		if in, ok := done.applied[st.ID]; ok {
			item.BeforeDigest, item.AfterDigest = in.BeforeDigest, in.AfterDigest
		}
		c.Items = append(c.Items, item)
	}
	return nil
}

// deeds are what was done to the records of a plan that changes something.
type deeds struct {
	steps   map[string]weir.Step       // by record
	ended   map[weir.StepID]weir.Entry // the entries that say how they ended
	applied map[weir.StepID]weir.Intent
}

func deedsOf(tx *store.Tx, id weir.RequestID, entries []weir.Entry) (deeds, error) {
	d := deeds{steps: map[string]weir.Step{}, ended: map[weir.StepID]weir.Entry{}, applied: map[weir.StepID]weir.Intent{}}
	steps, err := tx.StepsOf(id)
	if err != nil {
		return d, err
	}
	intents, err := tx.Intents(id)
	if err != nil {
		return d, err
	}
	for _, n := range entries {
		if n.Act == "step.done" || n.Act == "letter.waived" || n.Act == "letter.withheld" {
			d.ended[n.Step] = n
		}
	}
	for _, s := range steps {
		if s.Kind == weir.StepErase || (s.Kind == weir.StepPurge && d.steps[s.Record].ID == "") {
			d.steps[s.Record] = s
		}
	}
	for _, in := range intents {
		if in.State == weir.IntentApplied {
			d.applied[in.Step] = in
		}
	}
	return d, nil
}

func itemOutcome(it weir.PlanItem, st weir.Step, done weir.Entry) ledger.CertOutcome {
	switch {
	case it.Action == weir.ActWithhold:
		return ledger.OutcomeWithheld
	case it.Action == weir.ActExport:
		return ledger.OutcomeExported
	case st.State == weir.StepWaived:
		return ledger.OutcomeWaived
	case done.Detail[KeyOutcome] == "already" || done.Detail[KeyOutcome] == "gone":
		return ledger.OutcomeAlready
	case it.Action == weir.ActUnlink:
		return ledger.OutcomeUnlinked
	}
	return ledger.OutcomeApplied
}

// readItems tells of the reading that a person decided to go without.
func readItems(tx *store.Tx, c *ledger.Certificate, r weir.Request) error {
	steps, err := tx.CountSteps(r.ID)
	if n := steps[weir.StepWaived]; n > 0 {
		c.Unproven = append(c.Unproven, fmt.Sprintf("A person decided to go without what %d of the reading steps would have read: records may be missing in the package.", n))
	}
	return err
}

// proofItems tells what was asked to prove the end, and what still answered.
func proofItems(tx *store.Tx, c *ledger.Certificate, r weir.Request) error {
	steps, err := tx.StepsOf(r.ID)
	if err != nil {
		return err
	}
	left, err := tx.Findings(r.ID, weir.PassProve)
	if err != nil {
		return err
	}
	prefix := shapeOf(weir.StepFind, weir.PassProve)
	for _, s := range steps {
		if s.Kind != weir.StepFind || len(s.Shape) < len(prefix) || s.Shape[:len(prefix)] != prefix {
			continue
		}
		var a findArgs
		if err := json.Unmarshal(s.Args, &a); err != nil {
			return fmt.Errorf("decode proof step %s: %w", s.ID, err)
		}
		item := ledger.ProofItem{Object: a.Find.Object, Query: ledger.QueryLive, At: c.CompletedAt}
		if a.All {
			item.Query = ledger.QueryAll
		}
		if s.State == weir.StepWaived {
			c.Unproven = append(c.Unproven, fmt.Sprintf("A person decided to go without the proof for %s.", a.Find.Object))
		}
		for _, f := range left {
			if a.All && f.Object == a.Find.Object && (a.Find.By != byRecord || slices.Contains(a.IDs, f.Record)) {
				item.Remaining++
			}
		}
		if item.Remaining > 0 {
			c.Unproven = append(c.Unproven, fmt.Sprintf("%d %s records were purged and still showed in queryAll when the wait for Salesforce's lag ended.", item.Remaining, a.Find.Object))
		}
		c.Proof = append(c.Proof, item)
	}
	return nil
}

// beyondReach lists copies that no API which weir uses can see (wire reference,
// section 6.5).
func beyondReach() []string {
	return []string{
		"Backups, sandboxes that were refreshed before the erasure, and copies in other Salesforce clouds are outside the reach of the org's API.",
		"Field history and event logs of the org may keep values that were changed.",
	}
}

// quote adds the request's own entries with their inclusion proofs under the
// newest checkpoint.
func quote(tx *store.Tx, c *ledger.Certificate, entries []weir.Entry) error {
	cp, err := lastCheckpoint(tx)
	if err != nil {
		return err
	}
	hashes := treeReader{tx}
	root, err := ledger.Root(cp.Size, hashes)
	if err != nil {
		return err
	}
	c.Ledger = ledger.LedgerProof{Size: cp.Size, Root: root, Checkpoint: string(cp.Note)}
	for _, n := range entries {
		if n.Seq == 0 || n.Seq > cp.Size || n.Step != "" {
			continue // the stages of the request; the items name the entries of their steps
		}
		line, err := ledger.Line(n)
		if err != nil {
			return err
		}
		in, err := ledger.Prove(cp.Size, line, hashes)
		if err != nil {
			return err
		}
		c.Ledger.Entries = append(c.Ledger.Entries, in)
	}
	return nil
}

// shapeOf is the common beginning of the shapes of one kind and pass.
func shapeOf(k weir.StepKind, p weir.Pass) string { return string(k) + ":" + string(p) + ":" }
