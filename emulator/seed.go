package emulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// seeder fills an org. It holds the lock while it works.
type seeder struct {
	org  *Org
	dice *rand.Rand
	now  time.Time
	n    int // of people made so far, for unique values
}

// SeedDemo fills the org with more than 10,000 records, among them everything
// that belongs to the given number of subjects: duplicates across Contact and
// Lead, cases with their e-mails, tasks, donations, and look-alikes of other
// people. The third subject has one case that is locked by an approval.
func SeedDemo(o *Org, subjects int) []Subject {
	return o.seed(subjects, crowd{accounts: 500, contacts: 2_600, leads: 1_400, cases: 1_700, tasks: 1_700, emails: 1_700, donations: 900})
}

// SeedSmall is a demo of a few hundred records for fast tests, with four subjects.
func SeedSmall(o *Org) []Subject {
	return o.seed(4, crowd{accounts: 5, contacts: 20, leads: 10, cases: 10, tasks: 10, emails: 10, donations: 10})
}

// crowd is how many records belong to nobody in particular.
type crowd struct{ accounts, contacts, leads, cases, tasks, emails, donations int }

func (o *Org) seed(subjects int, c crowd) []Subject {
	now, unlock := o.lock()
	defer unlock()
	s := &seeder{org: o, dice: rand.New(rand.NewPCG(o.options.Seed, 3)), now: now}
	accounts, contacts := s.crowd(c)
	for i := range subjects {
		o.subjects = append(o.subjects, s.subject(i, accounts, contacts))
	}
	return append([]Subject{}, o.subjects...)
}

// put adds one record that was made at some time in the last three years.
func (s *seeder) put(object string, fields map[string]any) string {
	age := 48*time.Hour + time.Duration(s.dice.Int64N(int64(3*365*24*time.Hour)))
	fields["CreatedDate"] = s.now.Add(-age)
	r, err := s.org.put(object, fields, s.now)
	if err != nil {
		panic(err) // the seeds name a field that the schema has not
	}
	return r.id
}

func pickOne[T any](dice *rand.Rand, from []T) T { return from[dice.IntN(len(from))] }

func (s *seeder) date() string {
	return s.now.AddDate(0, 0, -s.dice.IntN(1_000)).Format(time.DateOnly)
}

func (s *seeder) phone() string { return fmt.Sprintf("+44 20 7946 %04d", s.dice.IntN(10_000)) }

// person invents somebody with an address that nobody else has.
func (s *seeder) person() (first, last, address string) {
	s.n++
	first, last = pickOne(s.dice, firstNames()), pickOne(s.dice, lastNames())
	address = fmt.Sprintf("%s.%s.%d@example.org", ascii(first), ascii(last), s.n)
	return first, last, address
}

// ascii makes the local part of an address of a name. Apostrophes stay: they
// are lawful there, and a trap for whoever builds queries of strings.
func ascii(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r == '\'' {
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return "person"
	}
	return b.String()
}

func firstNames() []string {
	return strings.Fields("Ada Grace Linus Zoë Søren Łukasz Chloé Jürgen Aoife Seán María João Ngozi Amara Wei Yuki Priya " +
		"Omar Fatima Ivan Olga Kofi Nia Mateo Lucía Anaïs Björn Élodie Tomáš Şule Đorđe 美咲 Дмитрий Noah Emma Liam Mia")
}

func lastNames() []string {
	return strings.Fields("O'Neil D'Angelo Ångström Müller Nuñez Smith-Jones Kowalski Nguyễn Okafor Tanaka García Dvořák " +
		"Şahin Ibrahim Petrov Johansson O'Brien L'Écuyer Van-Dyke Hopper Lovelace Turing Silva Costa Kumar Chen 山田 Иванова")
}

// crowd makes the people whom no request is about.
func (s *seeder) crowd(c crowd) (accounts, contacts []string) {
	for i := range c.accounts {
		accounts = append(accounts, s.put("Account", map[string]any{
			"Name": fmt.Sprintf("%s Household %d", pickOne(s.dice, lastNames()), i+1), "Type": "Household", "Phone": s.phone(),
			"BillingCity": "London", "BillingCountry": "United Kingdom",
		}))
	}
	for range c.contacts {
		first, last, address := s.person()
		contacts = append(contacts, s.contact(first, last, address, pickOne(s.dice, accounts)))
	}
	for i := range c.leads {
		first, last, address := s.person()
		id := s.lead(first, last, address)
		if i%40 == 0 {
			s.org.objects["lead"].byID[id[:15]].values["IsConverted"] = true
		}
	}
	var cases []string
	for range c.cases {
		cases = append(cases, s.ticket(pickOne(s.dice, contacts), "", "General question"))
	}
	for range c.tasks {
		s.task(pickOne(s.dice, contacts), "Call back")
	}
	for range c.emails {
		s.mail(pickOne(s.dice, cases), "crowd@example.org", "Somebody")
	}
	for range c.donations {
		s.donation(pickOne(s.dice, contacts), "", "Somebody", "crowd@example.org")
	}
	return accounts, contacts
}

func (s *seeder) contact(first, last, address, account string) string {
	return s.put("Contact", map[string]any{
		"FirstName": first, "LastName": last, "Email": address, "Phone": s.phone(), "MobilePhone": s.phone(),
		"Salutation": pickOne(s.dice, []string{"Mr.", "Ms.", "Dr.", "Mx."}), "Title": pickOne(s.dice, []string{"Teacher", "Engineer", "Nurse"}),
		"Segment__c":    pickOne(s.dice, []string{"Retail", "Business", "Private"}),
		"MailingStreet": fmt.Sprintf("%d High Street", 1+s.dice.IntN(200)), "MailingCity": "London", "MailingPostalCode": "N1 9GU",
		"MailingCountry": "United Kingdom", "Birthdate": fmt.Sprintf("19%02d-0%d-1%d", 50+s.dice.IntN(50), 1+s.dice.IntN(9), s.dice.IntN(10)),
		"Loyalty_Id__c": fmt.Sprintf("LOY-%06d", s.org.objects["contact"].next+1), "AccountId": account,
		"Description": "Prefers to be called in the morning.",
	})
}

func (s *seeder) lead(first, last, address string) string {
	return s.put("Lead", map[string]any{
		"FirstName": first, "LastName": last, "Email": address, "Company": last + " Ltd", "Phone": s.phone(),
		"Status": "Open", "City": "Dublin", "Country": "Ireland", "LeadSource": "Web",
	})
}

func (s *seeder) ticket(contact, address, subject string) string {
	return s.put("Case", map[string]any{
		"Subject": subject, "Description": "I would like to know more about my membership.", "Status": "Working", "Origin": "Email",
		"ContactId": contact, "SuppliedEmail": address, "Approval_Status__c": "None",
	})
}

func (s *seeder) task(who, subject string) string {
	return s.put("Task", map[string]any{
		"Subject": subject, "WhoId": who, "Status": "Completed", "Priority": "Normal", "ActivityDate": s.date(),
		"Description": "Left a message.",
	})
}

func (s *seeder) mail(parent, from, name string) string {
	return s.put("EmailMessage", map[string]any{
		"ParentId": parent, "FromAddress": from, "FromName": name, "ToAddress": "support@acme.example", "Subject": "Re: your case",
		"TextBody": "Hello,\nthank you for your answer.\n" + name, "MessageDate": s.now.Add(-time.Hour * time.Duration(100+s.dice.IntN(9_000))),
		"Incoming": true, "Status": "1",
	})
}

func (s *seeder) donation(contact, secondary, name, address string) string {
	return s.put("Donation__c", map[string]any{
		"Contact__c": contact, "Secondary_Contact__c": secondary, "Donor_Name__c": name, "Donor_Email__c": address,
		"Amount__c": float64(5 + s.dice.IntN(500)), "Donation_Date__c": s.date(), "Dedication__c": "For the library",
	})
}
