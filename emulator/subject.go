package emulator

import "slices"

// Subject is a person whom the seeds put into the org, with the truth about
// which records are theirs.
type Subject struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	// Records are the ids that truly belong to the person, by object.
	Records map[string][]string `json:"records"`
	// Shared are records that the person shares with somebody else, by object.
	// Those that belong to the person foremost stand in Records too.
	Shared map[string][]string `json:"shared,omitempty"`
	// Locked are records of the person that refuse to be changed or deleted
	// until somebody in the org releases them.
	Locked []string `json:"locked,omitempty"`
	// LookAlikes are contacts and leads of other people whose addresses look
	// nearly the same.
	LookAlikes []string `json:"look_alikes,omitempty"`
}

// Count is how many records belong to the person.
func (s Subject) Count() int {
	n := 0
	for _, ids := range s.Records {
		n += len(ids)
	}
	return n
}

// IDs lists the person's records in ascending order.
func (s Subject) IDs() []string {
	var all []string
	for _, ids := range s.Records {
		all = append(all, ids...)
	}
	slices.Sort(all)
	return all
}

// Subjects returns the people whom the seeds put into the org.
func (o *Org) Subjects() []Subject {
	_, unlock := o.lock()
	defer unlock()
	return slices.Clone(o.subjects)
}
