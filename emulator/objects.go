package emulator

import "strings"

func text(name, label string, length int) *field {
	return &field{name: name, label: label, kind: typeString, length: length}
}

func email(name, label string) *field {
	return &field{name: name, label: label, kind: typeEmail, length: 80}
}

func phone(name, label string) *field {
	return &field{name: name, label: label, kind: typePhone, length: 40}
}

func typed(name, label, kind string) *field { return &field{name: name, label: label, kind: kind} }

// long is a long text area; Salesforce cannot filter by one.
func long(name, label string) *field {
	return &field{name: name, label: label, kind: typeText, length: 32_000, unfiltered: true}
}

func area(name, label string) *field {
	return &field{name: name, label: label, kind: typeText, length: 255}
}

func lookup(name, label, relation string, refs ...string) *field {
	return &field{name: name, label: label, kind: typeReference, length: 18, refs: refs, relation: relation}
}

func picklist(name, label string, values ...string) *field {
	return &field{name: name, label: label, kind: typePicklist, length: 255, picklist: values}
}

func required(f *field) *field   { f.required = true; return f }
func restricted(f *field) *field { f.restricted = true; return f }
func unique(f *field) *field     { f.unique = true; return f }
func readOnly(f *field) *field   { f.readOnly = true; return f }

// computed marks a formula field and says how it is computed.
func computed(f *field, get func(*record) any) *field {
	f.readOnly, f.calculated, f.get = true, true, get
	return f
}

// compound is a person's Name: put together by the platform and read-only, but
// no formula.
func compound() *field {
	f := readOnly(text("Name", "Full Name", 121))
	f.nameField = true
	f.get = func(r *record) any {
		first, last := r.str("FirstName"), r.str("LastName")
		return orNil(strings.TrimSpace(first + " " + last))
	}
	return f
}

func numbered(name, label string) *field {
	f := readOnly(text(name, label, 30))
	f.autoNumber, f.nameField = true, true
	return f
}

func named(label string, length int) *field {
	f := required(text("Name", label, length))
	f.nameField = true
	return f
}

func owner() *field { return lookup("OwnerId", "Owner ID", "Owner", "User") }

// defineObjects builds the schema of the org.
func (o *Org) defineObjects() {
	o.defineUser()
	o.defineAccount()
	o.defineContact()
	o.defineLead()
	o.defineCase()
	o.defineActivity()
	o.defineDonation()
}

func (o *Org) defineUser() {
	o.add(&object{name: "User", label: "User", plural: "Users", prefix: "005"},
		unique(required(text("Username", "Username", 80))), text("FirstName", "First Name", 40),
		required(text("LastName", "Last Name", 80)), compound(), required(email("Email", "Email")),
		typed("IsActive", "Active", typeBoolean))
}

func (o *Org) defineAccount() {
	o.add(&object{name: "Account", label: "Account", plural: "Accounts", prefix: "001", deletable: true, children: []child{
		{object: "Contact", field: "AccountId", name: "Contacts"},
		{object: "Case", field: "AccountId", name: "Cases"},
		{object: "Task", field: "WhatId", name: "Tasks", cascade: true},
	}},
		named("Account Name", 255), picklist("Type", "Account Type", "Household", "Customer", "Partner", "Other"),
		phone("Phone", "Account Phone"), &field{name: "Website", label: "Website", kind: typeURL, length: 255},
		area("BillingStreet", "Billing Street"), text("BillingCity", "Billing City", 40),
		text("BillingPostalCode", "Billing Zip/Postal Code", 20), text("BillingCountry", "Billing Country", 80),
		email("Billing_Email__c", "Billing Email"), long("Description", "Account Description"), owner())
}

func (o *Org) defineContact() {
	ob := &object{name: "Contact", label: "Contact", plural: "Contacts", prefix: "003", deletable: true, children: []child{
		{object: "Case", field: "ContactId", name: "Cases"},
		{object: "Task", field: "WhoId", name: "Tasks", cascade: true},
		{object: "Donation__c", field: "Contact__c", name: "Donations__r"},
		{object: "Donation__c", field: "Secondary_Contact__c", name: "Secondary_Donations__r"},
	}}
	ob.rules = append(ob.rules, phoneHasDigit)
	o.add(ob,
		text("FirstName", "First Name", 40), required(text("LastName", "Last Name", 80)), compound(),
		restricted(picklist("Salutation", "Salutation", "Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")),
		email("Email", "Email"), phone("Phone", "Business Phone"), phone("MobilePhone", "Mobile Phone"),
		phone("HomePhone", "Home Phone"), phone("OtherPhone", "Other Phone"), phone("Fax", "Business Fax"),
		text("AssistantName", "Assistant's Name", 40), phone("AssistantPhone", "Asst. Phone"),
		text("Title", "Title", 128), text("Department", "Department", 80),
		area("OtherStreet", "Other Street"), text("OtherCity", "Other City", 40), text("OtherState", "Other State/Province", 80),
		text("OtherPostalCode", "Other Zip/Postal Code", 20), text("OtherCountry", "Other Country", 80),
		area("MailingStreet", "Mailing Street"), text("MailingCity", "Mailing City", 40),
		text("MailingState", "Mailing State/Province", 80), text("MailingPostalCode", "Mailing Zip/Postal Code", 20), text("MailingCountry", "Mailing Country", 80),
		typed("Birthdate", "Birthdate", typeDate), long("Description", "Contact Description"),
		lookup("AccountId", "Account ID", "Account", "Account"), owner(),
		picklist("LeadSource", "Lead Source", "Web", "Phone Inquiry", "Partner Referral", "Other"),
		typed("HasOptedOutOfEmail", "Email Opt Out", typeBoolean), typed("DoNotCall", "Do Not Call", typeBoolean),
		restricted(picklist("Segment__c", "Segment", "Retail", "Business", "Private", "Unknown")),
		unique(text("Loyalty_Id__c", "Loyalty Id", 20)),
		computed(text("Greeting__c", "Greeting", 1300), func(r *record) any {
			return orNil(strings.TrimSpace("Dear " + strings.TrimSpace(r.str("Salutation")+" "+r.str("LastName"))))
		}))
}

// phoneHasDigit is the org's own validation rule on contacts.
func phoneHasDigit(r *record) *apiError {
	if p := r.str("Phone"); p != "" && !strings.ContainsAny(p, "0123456789") {
		return refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", "A phone number needs at least one digit.", "Phone")
	}
	return nil
}

func (o *Org) defineLead() {
	o.add(&object{name: "Lead", label: "Lead", plural: "Leads", prefix: "00Q", deletable: true, children: []child{
		{object: "Task", field: "WhoId", name: "Tasks", cascade: true},
	}},
		text("FirstName", "First Name", 40), required(text("LastName", "Last Name", 80)), compound(),
		restricted(picklist("Salutation", "Salutation", "Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx.")),
		required(text("Company", "Company", 255)), email("Email", "Email"), phone("Phone", "Phone"),
		phone("MobilePhone", "Mobile Phone"), text("Title", "Title", 128), area("Street", "Street"),
		text("City", "City", 40), text("PostalCode", "Zip/Postal Code", 20), text("Country", "Country", 80),
		restricted(picklist("Status", "Status", "Open", "Working", "Closed")),
		picklist("LeadSource", "Lead Source", "Web", "Phone Inquiry", "Partner Referral", "Other"),
		typed("HasOptedOutOfEmail", "Email Opt Out", typeBoolean), long("Description", "Description"),
		readOnly(typed("IsConverted", "Converted", typeBoolean)),
		readOnly(lookup("ConvertedContactId", "Converted Contact ID", "ConvertedContact", "Contact")), owner())
}

func (o *Org) defineCase() {
	contactEmail := computed(email("ContactEmail", "Contact Email"), func(r *record) any {
		if c := o.target(r, "ContactId"); c != nil {
			return orNil(c.str("Email"))
		}
		return nil
	})
	contactEmail.length = 80
	o.add(&object{name: "Case", label: "Case", plural: "Cases", prefix: "500", deletable: true, children: []child{
		{object: "EmailMessage", field: "ParentId", name: "EmailMessages", cascade: true},
		{object: "Task", field: "WhatId", name: "Tasks", cascade: true},
	}},
		numbered("CaseNumber", "Case Number"), text("Subject", "Subject", 255), long("Description", "Description"),
		restricted(picklist("Status", "Status", "New", "Working", "Escalated", "Closed")),
		picklist("Origin", "Case Origin", "Email", "Phone", "Web"),
		lookup("ContactId", "Contact ID", "Contact", "Contact"), lookup("AccountId", "Account ID", "Account", "Account"),
		contactEmail, email("SuppliedEmail", "Web Email"), text("SuppliedName", "Web Name", 80),
		text("SuppliedPhone", "Web Phone", 40),
		// Pending locks the record, as an approval process does; Audit makes
		// only its deletion fail, as an associated record does; over Disputed
		// a trigger throws, which fails all that is changed with the record.
		restricted(picklist("Approval_Status__c", "Approval Status", "None", "Pending", "Approved", "Audit", "Disputed")), owner())
}

func (o *Org) defineActivity() {
	o.add(&object{name: "Task", label: "Task", plural: "Tasks", prefix: "00T", deletable: true},
		text("Subject", "Subject", 255), long("Description", "Description"),
		lookup("WhoId", "Name ID", "Who", "Contact", "Lead"), lookup("WhatId", "Related To ID", "What", "Account", "Case"),
		required(restricted(picklist("Status", "Status", "Not Started", "In Progress", "Completed"))),
		restricted(picklist("Priority", "Priority", "High", "Normal", "Low")),
		typed("ActivityDate", "Due Date Only", typeDate), owner())
	o.add(&object{name: "EmailMessage", label: "Email Message", plural: "Email Messages", prefix: "02s", deletable: true},
		lookup("ParentId", "Case ID", "Parent", "Case"), email("FromAddress", "From Address"),
		text("FromName", "From Name", 1000), text("ToAddress", "To Address", 4000), text("CcAddress", "CC Address", 4000),
		text("Subject", "Subject", 3000), long("TextBody", "Text Body"), long("HtmlBody", "HTML Body"),
		typed("MessageDate", "Message Date", typeDateTime), typed("Incoming", "Is Incoming", typeBoolean),
		picklist("Status", "Status", "0", "1", "2", "3"))
}

func (o *Org) defineDonation() {
	o.add(&object{name: "Donation__c", label: "Donation", plural: "Donations", prefix: "a00", deletable: true},
		numbered("Name", "Donation Number"), typed("Amount__c", "Amount", typeCurrency),
		typed("Donation_Date__c", "Donation Date", typeDate), lookup("Contact__c", "Contact", "Contact__r", "Contact"),
		lookup("Secondary_Contact__c", "Secondary Contact", "Secondary_Contact__r", "Contact"),
		text("Donor_Name__c", "Donor Name", 120), email("Donor_Email__c", "Donor Email"),
		area("Dedication__c", "Dedication"), long("Note__c", "Note"), owner())
}
