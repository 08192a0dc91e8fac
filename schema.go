package weir

// ObjectSchema is what describe says about one object, cut down to what the
// data map and the plan depend on. A change in any attribute changes the
// describe hash and voids approved plans.
type ObjectSchema struct {
	Name       string        `json:"name"`
	Queryable  bool          `json:"queryable"`
	Updateable bool          `json:"updateable"`
	Deletable  bool          `json:"deletable"`
	Fields     []FieldSchema `json:"fields"` // sorted by name
}

// FieldSchema is one field of an object.
type FieldSchema struct {
	Name       string   `json:"name"`
	Type       string   `json:"type"` // Salesforce's word: string, email, phone, picklist, reference, textarea, …
	Length     int      `json:"length,omitempty"`
	Nillable   bool     `json:"nillable,omitempty"`
	Updateable bool     `json:"updateable,omitempty"`
	Unique     bool     `json:"unique,omitempty"`
	Calculated bool     `json:"calculated,omitempty"`
	Filterable bool     `json:"filterable,omitempty"`
	Restricted bool     `json:"restricted,omitempty"` // restricted picklist
	Picklist   []string `json:"picklist,omitempty"`   // active values
	References []string `json:"references,omitempty"` // objects that a reference may point at
}

// Field finds a field by its API name.
func (o ObjectSchema) Field(name string) (FieldSchema, bool) {
	for _, f := range o.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return FieldSchema{}, false
}
