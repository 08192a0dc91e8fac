package emulator

import (
	"fmt"
	"strings"
)

// identity is a subject as they call themselves.
type identity struct {
	first, last, address string
	stored               string   // the address as an old import left it in a duplicate
	nearly               []string // addresses of other people
	busy                 bool     // with many records
}

// identities are the people with whom matching goes wrong most easily. The last
// one is a look-alike of the first.
func identities() []identity {
	return []identity{
		{
			first: "Ada", last: "Example", address: "ada@example.com", stored: "ADA@Example.com", busy: true,
			nearly: []string{"ada@example.co", "adaa@example.com", "ada@example.com.evil.test", "xada@example.com", "ada_@example.com"},
		},
		{
			first: "Seán", last: "O'Neil", address: "sean.o'neil@example.org", stored: "Sean.O'Neil@example.org",
			nearly: []string{"sean.oneil@example.org", "sean.o'neill@example.org", "sean%o'neil@example.org"},
		},
		{
			first: "Zoë", last: "Ångström-美咲", address: "Zoe.Angstrom@Example.net", stored: "ZOE.ANGSTROM@EXAMPLE.NET",
			nearly: []string{"zoe.angstrom@example.net.au", "zoe_angstrom@example.net"},
		},
		{
			first: "Ada", last: "News", address: "Ada+News@Example.com", stored: "ada+news@example.com",
			nearly: []string{"ada+new@example.com", "adanews@example.com", "ada+news@example.co"},
		},
	}
}

func (s *seeder) identity(i int) identity {
	if known := identities(); i < len(known) {
		return known[i]
	}
	first, last, address := s.person()
	local, host, _ := strings.Cut(address, "@")
	return identity{
		first: first, last: last, address: address, stored: strings.ToUpper(local) + "@" + host,
		nearly: []string{local + "@example.or", local + "+list@" + host},
	}
}

// lockedSubject is the subject whose first case waits in an approval, so that
// an erasure of them needs a person.
const lockedSubject = 2

// subject makes the i-th subject with all that is theirs.
func (s *seeder) subject(i int, accounts, others []string) Subject {
	who := s.identity(i)
	name := who.first + " " + who.last
	out := Subject{Name: name, Email: who.address, Records: map[string][]string{}, Shared: map[string][]string{}}
	own := func(object, id string) string {
		out.Records[object] = append(out.Records[object], id)
		return id
	}
	first := own("Contact", s.contact(who.first, who.last, who.address, pickOne(s.dice, accounts)))
	double := own("Contact", s.contact(who.first, who.last, who.stored, pickOne(s.dice, accounts)))
	lead := own("Lead", s.lead(who.first, who.last, who.stored))
	factor := 1
	if who.busy {
		factor = 5
	}
	for n := range 2 * factor {
		ticket := own("Case", s.ticket(pickOne(s.dice, []string{first, double}), who.address, fmt.Sprintf("Question %d of %s", n+1, name)))
		for range 2 {
			own("EmailMessage", s.mail(ticket, who.address, name))
		}
	}
	if i%3 == 0 {
		// Sent by a web form and never linked to a contact.
		own("Case", s.ticket("", who.address, "Web enquiry of "+name))
	}
	for range factor {
		own("Task", s.task(first, "Call "+name))
		own("Task", s.task(double, "Letter to "+name))
		own("Task", s.task(lead, "Qualify "+name))
	}
	for range factor {
		own("Donation__c", s.donation(first, "", name, who.address))
	}
	mine := own("Donation__c", s.donation(double, pickOne(s.dice, others), name, who.address))
	stranger := pickOne(s.dice, others)
	theirs := s.donation(stranger, first, "A couple", "couple@example.org")
	out.Shared["Donation__c"] = []string{mine, theirs}
	for n, address := range who.nearly {
		if n%2 == 0 {
			out.LookAlikes = append(out.LookAlikes, s.contact(who.first, who.last, address, pickOne(s.dice, accounts)))
		} else {
			out.LookAlikes = append(out.LookAlikes, s.lead(who.first, who.last, address))
		}
	}
	if i == lockedSubject {
		held := out.Records["Case"][0]
		s.org.objects["case"].byID[held[:15]].values["Approval_Status__c"] = "Pending"
		out.Locked = []string{held}
	}
	return out
}
