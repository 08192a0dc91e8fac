package engine_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/emulator"
)

// person is one seeded subject and the records that are truly theirs.
type person struct {
	Email   string
	Records map[string][]string // object → ids
}

func (p person) owns(id string) bool {
	for _, ids := range p.Records {
		if slices.Contains(ids, id) {
			return true
		}
	}
	return false
}

// seedPeople fills the org with n subjects, each with duplicates over several
// objects, and for each a stranger whose address looks alike.
func seedPeople(o *emulator.Org, n int) []person {
	names := []string{"O'Neil", "Müller", "Ångström", "van der Berg", "Ng", "D'Arcy-Smith"}
	out := make([]person, 0, n)
	for i := range n {
		p := person{Email: fmt.Sprintf("ada%d.o'neil+news@example.com", i), Records: map[string][]string{}}
		put := func(object string, fields map[string]any) string {
			id := o.Put(object, fields)
			p.Records[object] = append(p.Records[object], id)
			return id
		}
		last := names[i%len(names)]
		contact := func(email string, k int) string {
			return put("Contact", map[string]any{
				"FirstName": "Ada", "LastName": last, "Email": email, "Phone": fmt.Sprintf("+49 30 %07d", i*10+k),
				"Segment__c": "Private", "Loyalty_Id__c": fmt.Sprintf("L%d-%d", i, k), "Birthdate": time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC),
			})
		}
		first := contact(p.Email, 0)
		second := contact(fmt.Sprintf("Ada%d.O'Neil+News@Example.COM", i), 1)
		lead := put("Lead", map[string]any{"LastName": last, "Company": "Self", "Email": p.Email})
		for k, c := range []string{first, second} {
			ticket := put("Case", map[string]any{"ContactId": c, "Subject": fmt.Sprintf("Order %d", k)})
			put("EmailMessage", map[string]any{"ParentId": ticket, "Subject": "Re: order", "FromAddress": p.Email})
			put("Task", map[string]any{"WhoId": c, "Subject": "Call back"})
			put("Donation__c", map[string]any{"Contact__c": c})
		}
		put("Task", map[string]any{"WhoId": lead, "Subject": "Qualify"})
		stranger := o.Put("Contact", map[string]any{"LastName": "Evil", "Email": fmt.Sprintf("ada%d.o'neil+news@example.com.evil.test", i)})
		o.Put("Case", map[string]any{"ContactId": stranger, "Subject": "Not yours"})
		put("Donation__c", map[string]any{"Contact__c": first, "Secondary_Contact__c": stranger})
		out = append(out, p)
	}
	return out
}
