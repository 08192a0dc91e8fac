package metrics

import "github.com/prometheus/client_golang/prometheus"

// orgFamily is one metric with one value per org.
type orgFamily struct {
	name, help string
	daily      bool // absent before the first reading of the allocation
	value      func(Snapshot, OrgSnapshot) float64
}

// orgFamilies is the table of the metrics of an org.
func orgFamilies() []orgFamily {
	return []orgFamily{
		{"weir_org_daily_calls_used", "API calls of the rolling 24 hours that the org counts, by everybody.", true, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.DailyUsed) }},
		{"weir_org_daily_calls_limit", "The org's daily API allocation, in calls.", true, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.DailyLimit) }},
		{"weir_org_daily_floor_calls", "API calls that weir leaves to the business.", true, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.Floor) }},
		{"weir_org_daily_burn_calls_per_hour", "Daily consumption velocity: API calls an hour, by everybody.", true, func(_ Snapshot, o OrgSnapshot) float64 { return o.BurnPerHour }},
		{"weir_org_calls_in_flight", "Calls of weir that are open now.", false, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.InFlight) }},
		{"weir_org_calls_allowed", "Calls of weir that may be open at once.", false, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.Width) }},
		{"weir_org_concurrency_saturation_ratio", "Concurrency saturation: calls in flight over calls allowed.", false, func(_ Snapshot, o OrgSnapshot) float64 { return o.saturation() }},
		{"weir_org_gate_closed_seconds", "How long the org's gate stays closed; 0 when it is open.", false, func(s Snapshot, o OrgSnapshot) float64 { return o.gate(s.Now).Seconds() }},
		{"weir_org_breaker_open", "1 when the org refuses our credentials and nothing is sent.", false, func(_ Snapshot, o OrgSnapshot) float64 { return boolean(o.Breaker) }},
		{"weir_org_broken_objects", "Objects of which nothing works, reads and changes counted apart: their steps wait.", false, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.Broken) }},
		{"weir_org_requests_late", "Open requests that cannot be in time as it stands: a person has to act.", false, func(_ Snapshot, o OrgSnapshot) float64 { return float64(o.Late) }},
	}
}

// houseFamily is one metric with one value.
type houseFamily struct {
	name, help string
	value      func(Snapshot) float64
}

// houseFamilies is the table of the metrics that have no org.
func houseFamilies() []houseFamily {
	return []houseFamily{
		{"weir_dead_letters", "Open dead letters.", func(s Snapshot) float64 { return float64(s.DeadLetters) }},
		{"weir_dead_letter_oldest_age_seconds", "Dead-letter backlog age: that of the oldest open one.", func(s Snapshot) float64 { return s.OldestLetterAge.Seconds() }},
		{"weir_ready_steps", "Steps that a slot may claim now.", func(s Snapshot) float64 { return float64(s.Ready) }},
		{"weir_waiting_steps", "Steps that wait for a recorded time.", func(s Snapshot) float64 { return float64(s.Waiting) }},
		{"weir_sealed_payloads", "Payloads in the vault.", func(s Snapshot) float64 { return float64(s.Sealed) }},
		{"weir_sealed_oldest_age_seconds", "Age of the oldest payload in the vault.", func(s Snapshot) float64 { return s.OldestSealedAge.Seconds() }},
		{"weir_journal_outcomes", "Outcomes in the local journal that wait for the store.", func(s Snapshot) float64 { return float64(s.Journal) }},
		{"weir_accounting_balance", "Steps accepted minus done, waiting, dead and cancelled; anything but 0 is a fault of weir.", func(s Snapshot) float64 { return float64(s.Balance()) }},
	}
}

// What has labels of a closed list, and the sign of life.
var (
	stepsDesc      = prometheus.NewDesc("weir_steps", "Steps by state.", []string{"state"}, nil)                                 //nolint:gochecknoglobals // a constant; Go has no constant structs
	requestsDesc   = prometheus.NewDesc("weir_requests", "Requests by stage.", []string{"stage"}, nil)                           //nolint:gochecknoglobals // a constant; Go has no constant structs
	accountingDesc = prometheus.NewDesc("weir_accounting_steps", "The parts of weir_accounting_balance.", []string{"part"}, nil) //nolint:gochecknoglobals // a constant; Go has no constant structs
	successDesc    = prometheus.NewDesc("weir_snapshot_success", "1 when the figures of this scrape could be read.", nil, nil)   //nolint:gochecknoglobals // a constant; Go has no constant structs
)
