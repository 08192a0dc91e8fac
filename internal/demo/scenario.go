package demo

import (
	"net/http"
	"strings"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/web"
)

// Scenario is one way in which the demonstration's org misbehaves.
type Scenario struct {
	Name    string
	Story   string
	profile emulator.Profile
	locked  bool // one record is locked by an approval: its deletion needs a person
}

// Scenarios lists them; the first is the default.
func Scenarios() []Scenario {
	return []Scenario{
		{"throttle-storm", "429 in three spellings, 403 daily and concurrent, lost answers, conflicts, locks, a hungry neighbour", storm(), true},
		{"quota-cliff", "other integrations eat nearly the whole daily allocation within minutes", emulator.QuotaCliff(), true},
		{"auth-drift", "sessions die under the client", emulator.AuthDrift(), true},
		{"etag-war", "other people edit the very records that are about to be erased", emulator.ETagWar(), true},
		{"calm", "nothing goes wrong", emulator.Calm(), false},
	}
}

// storm is the emulator's, with two more certain edits by other people, on the
// object that has ETags and on one that has not: the script's own one may meet
// any record.
func storm() emulator.Profile {
	p := emulator.Storm()
	p.Script = append(p.Script,
		emulator.ScriptedFault{Kind: emulator.FaultChanged, Match: emulator.Match{Method: http.MethodPatch, Object: "Account", Writes: true}},
		emulator.ScriptedFault{Kind: emulator.FaultChanged, Match: emulator.Match{Method: http.MethodPatch, Object: "Contact", Writes: true}},
	)
	return p
}

// ScenarioNames lists their names for help texts.
func ScenarioNames() string {
	var names []string
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, "|")
}

func findScenario(name string) (Scenario, error) {
	for _, s := range Scenarios() {
		if s.Name == name || name == "" {
			return s, nil
		}
	}
	return Scenario{}, web.Fail(web.ExitUsage, "scenario", "Choose one of "+ScenarioNames()+".", "no such scenario")
}
