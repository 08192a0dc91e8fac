package governor

import "github.com/weirhq/weir"

// A guest is another program that calls the same org and asks us first. Its
// calls count like ours, and what they meet holds everybody back. Only its
// credentials are its own: a token of its that was refused says nothing about
// ours, and while ours are refused its calls may go.

// AdmitGuest is Admit for a guest's call.
func AdmitGuest(p Policy, s State, a weir.Ask) (State, weir.Decision) {
	ours := s.Auth
	s.Auth = Credential{}
	s, d := Admit(p, s, a)
	s.Auth = ours
	return s, d
}

// ObserveGuest is Observe for a guest's call.
func ObserveGuest(p Policy, s State, o weir.Outcome) (State, weir.Decision) {
	ours := s.Auth
	s.Auth = Credential{}
	s, d := Observe(p, s, o)
	s.Auth = ours
	return s, d
}
