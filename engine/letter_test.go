package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
)

// Broken credentials stop the org with one dead letter, not with thousands, and
// it goes by itself once the org accepts them again.
func TestCredentialsFixedReleaseTheLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		w.org.SetCredentialsValid(false)
		w.org.ExpireSessions()
		var all []weir.Request
		for i := range w.subjects {
			all = append(all, w.submit(weir.Access, i))
		}
		for range 10 {
			w.settle()
			w.pass()
		}
		open := w.letters()
		if len(open) != 1 || open[0].Release != weir.ReleaseByAuth {
			t.Fatalf("%d letters for one cause: %+v", len(open), open)
		}
		if logins := w.org.Truth().Logins; logins > 30 {
			t.Errorf("%d logins while the credentials were broken", logins)
		}
		w.org.SetCredentialsValid(true)
		if _, err := w.engine.TestOrg(t.Context(), acme); err != nil {
			t.Fatal(err)
		}
		if err := w.engine.Control(t.Context()); err != nil {
			t.Fatal(err)
		}
		if open := w.letters(); len(open) != 0 {
			t.Fatalf("%d letters are still open after the credentials were accepted", len(open))
		}
		for _, r := range all {
			w.until(r.ID, 24*time.Hour, weir.Delivered)
		}
	})
}

func (w *world) letters() []weir.Letter {
	w.t.Helper()
	open, err := w.engine.Letters(w.t.Context(), engine.LetterFilter{State: weir.LetterOpen})
	if err != nil {
		w.t.Fatal(err)
	}
	return open
}

// A record that cannot be deleted ends as one dead letter with its message
// sealed; a person resolves it, and the certificate says so.
func TestAPersonResolvesALetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		for _, id := range w.subjects[0].Records["Case"] {
			w.org.Touch("Case", id, map[string]any{"Approval_Status__c": "Pending"}) // an approval process locks the record
		}
		r := w.approved(0)
		for len(w.letters()) == 0 {
			w.settle()
			w.pass()
		}
		open := w.letters()
		d, err := w.engine.Letter(t.Context(), open[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if d.Letter.Cause != weir.Validation || d.Letter.Object != "Case" || d.Letter.Code != "ENTITY_IS_LOCKED" || d.Letter.Sealed.Name == "" || d.Suggest == "" {
			t.Errorf("letter: %+v", d)
		}
		if err := w.engine.RetryLetter(t.Context(), open[0].ID, false, "kim"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		again, err := w.engine.Letter(t.Context(), open[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if again.Letter.State != weir.LetterOpen || again.Letter.Times != 2 || len(again.History) < 3 {
			t.Errorf("after a retry in vain: %s, %d times, %d lines of history", again.Letter.State, again.Letter.Times, len(again.History))
		}
		for _, id := range w.subjects[0].Records["Case"] {
			w.org.Touch("Case", id, map[string]any{"Approval_Status__c": nil})
		}
		for i, l := range w.letters() {
			if i == 0 {
				err = w.engine.ResolveLetter(t.Context(), l.ID, "waived", "kept by order of the court", "kim")
			} else {
				err = w.engine.RetryLetter(t.Context(), l.ID, false, "kim")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.engine.RetryLetter(t.Context(), open[0].ID, false, "kim"); !errors.Is(err, weir.ErrNoSuchTransition) {
			t.Errorf("a resolved letter was retried: %v", err)
		}
		w.until(r.ID, 96*time.Hour, weir.Closed)
		w.clean()
	})
}

// What is due before a closed gate opens is a letter as soon as that is sure, also
// when no turn looks at it: here it wakes behind the gate, at which others stand
// that have the time.
func TestNobodyWaitsForAClosedGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		profile := emulator.Calm()
		profile.GateFor = 6 * time.Hour
		w := newWorld(t, setup{org: emulator.Options{Profile: profile}})
		late := w.submitReceived(weir.Access, 0, time.Now().AddDate(0, -1, 0).Add(2*time.Hour))
		early := []weir.Request{w.submit(weir.Access, 1), w.submit(weir.Access, 2)}
		w.org.InjectNext(emulator.FaultPlatform, 1)
		w.org.InjectNext(emulator.FaultBurstSeconds, 1)
		for range 60 {
			w.settle()
			time.Sleep(time.Second)
		}
		open := w.letters()
		if len(open) == 0 {
			t.Fatalf("nobody was told\n%s", w.story(late.ID))
		}
		for _, l := range open {
			if l.Request != late.ID || l.Cause != weir.DeadlineRisk {
				t.Errorf("letter: %+v", l)
			}
		}
		for _, r := range append(early, late) {
			w.until(r.ID, 24*time.Hour, weir.Delivered) // the gate opens, and the letters are released
		}
	})
}

// Every recorded decision follows from its recorded inputs; an altered one is
// noticed, and so is an altered ledger.
func TestWhyAndAuditNoticeTampering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{org: emulator.Options{Seed: 5, Profile: emulator.Rude()}})
		r := w.approved(0)
		w.until(r.ID, 240*time.Hour, weir.Closed)
		explained := w.explainAll(r.ID)
		if explained < 10 {
			t.Errorf("only %d decisions were recomputed", explained)
		}
		held, err := w.engine.Checkpoint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rep, err := w.engine.VerifyLedger(t.Context(), held)
		if err != nil || !rep.OK() {
			t.Fatalf("an untouched ledger: %v %+v", err, rep)
		}
		w.exec(`UPDATE entry SET actor = 'mallory' WHERE seq = 7`)
		if rep, err = w.engine.VerifyLedger(t.Context(), held); err != nil || rep.OK() || rep.FirstBad != 7 {
			t.Errorf("an altered entry 7: %v %+v", err, rep)
		}
		w.exec(`UPDATE decision SET ruling = replace(ruling, 'proceed', 'wait')`)
		_, err = w.engine.Why(t.Context(), w.firstStep(r.ID))
		if !errors.Is(err, engine.ErrMismatch) {
			t.Errorf("altered decisions: %v", err)
		}
	})
}

func (w *world) exec(statement string) {
	w.t.Helper()
	if _, err := w.engine.Store().DB().ExecContext(w.t.Context(), statement); err != nil {
		w.t.Fatal(err)
	}
}

// stepsOf lists the steps of a request by their ledger entries.
func (w *world) stepsOf(id weir.RequestID) []string {
	w.t.Helper()
	entries, err := w.engine.History(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	seen := map[weir.StepID]bool{}
	var out []string
	for _, n := range entries {
		if n.Step != "" && !seen[n.Step] {
			seen[n.Step] = true
			out = append(out, string(n.Step))
		}
	}
	return out
}

func (w *world) firstStep(id weir.RequestID) string { return w.stepsOf(id)[0] }

// explainAll recomputes the decisions of every step of a request.
func (w *world) explainAll(id weir.RequestID) int {
	w.t.Helper()
	n := 0
	for _, step := range w.stepsOf(id) {
		why, err := w.engine.Why(w.t.Context(), step)
		if err != nil {
			w.t.Fatal(err)
		}
		n += len(why.Decisions)
	}
	return n
}

// A composite of several writes meets credentials that the org does not accept:
// one of them tells a person, all of them know that nothing was sent, and all
// are written once the org accepts weir again.
func TestWritesOutliveRefusedCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{})
		time.Sleep(time.Minute)
		r := w.approved(0)
		if n := len(w.turnsUntilWrite(r.ID)); n < 2 {
			t.Fatalf("%d writes stand together", n)
		}
		w.org.SetCredentialsValid(false)
		if err := w.engine.Close(); err != nil { // and with it the token
			t.Fatal(err)
		}
		w.open()
		w.settle()
		if n := len(w.letters()); n != 1 {
			t.Errorf("%d dead letters tell of it", n)
		}
		w.org.SetCredentialsValid(true)
		w.until(r.ID, 120*time.Hour, weir.Closed)
		w.erased(0)
		w.clean()
	})
}

// The platform fails for an hour, whatever is asked. That costs a call now and
// then, and a person hears of a few steps and not of every one.
func TestAnOutageMakesFewLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, setup{people: 30})
		w.org.SetFaults(emulator.FaultScript{{Kind: emulator.FaultPlatform, For: time.Hour}})
		var all []weir.Request
		for i := range w.subjects {
			all = append(all, w.submit(weir.Erasure, i))
		}
		w.workFor(time.Hour)
		if letters, calls := len(w.letters()), len(w.org.Log()); letters > 5 || calls > 60 {
			t.Errorf("%d letters and %d calls in an hour of an outage", letters, calls)
		}
		for _, l := range w.letters() {
			if err := w.engine.RetryLetter(t.Context(), l.ID, false, "kim"); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range all {
			w.until(r.ID, 6*time.Hour, weir.AwaitingApproval)
		}
	})
}
