package emulator

import (
	"net/http"
	"time"
)

// fieldJSON is a field as describe shows it.
type fieldJSON struct {
	AutoNumber          bool           `json:"autoNumber"`
	ByteLength          int            `json:"byteLength"`
	Calculated          bool           `json:"calculated"`
	CalculatedFormula   *string        `json:"calculatedFormula"`
	CaseSensitive       bool           `json:"caseSensitive"`
	CompoundFieldName   *string        `json:"compoundFieldName"`
	Createable          bool           `json:"createable"`
	Custom              bool           `json:"custom"`
	DefaultValue        *string        `json:"defaultValue"`
	DefaultedOnCreate   bool           `json:"defaultedOnCreate"`
	DeprecatedAndHidden bool           `json:"deprecatedAndHidden"`
	Encrypted           bool           `json:"encrypted"`
	ExternalID          bool           `json:"externalId"`
	Filterable          bool           `json:"filterable"`
	HTMLFormatted       bool           `json:"htmlFormatted"`
	IDLookup            bool           `json:"idLookup"`
	Label               string         `json:"label"`
	Length              int            `json:"length"`
	Name                string         `json:"name"`
	NameField           bool           `json:"nameField"`
	NamePointing        bool           `json:"namePointing"`
	Nillable            bool           `json:"nillable"`
	Picklist            []picklistJSON `json:"picklistValues"`
	Polymorphic         bool           `json:"polymorphicForeignKey"`
	ReferenceTo         []string       `json:"referenceTo"`
	RelationshipName    *string        `json:"relationshipName"`
	RestrictedPicklist  bool           `json:"restrictedPicklist"`
	Sortable            bool           `json:"sortable"`
	SoapType            string         `json:"soapType"`
	Type                string         `json:"type"`
	Unique              bool           `json:"unique"`
	Updateable          bool           `json:"updateable"`
}

type picklistJSON struct {
	Active       bool    `json:"active"`
	DefaultValue bool    `json:"defaultValue"`
	Label        string  `json:"label"`
	ValidFor     *string `json:"validFor"`
	Value        string  `json:"value"`
}

type childJSON struct {
	CascadeDelete       bool     `json:"cascadeDelete"`
	ChildSObject        string   `json:"childSObject"`
	DeprecatedAndHidden bool     `json:"deprecatedAndHidden"`
	Field               string   `json:"field"`
	JunctionIDListNames []string `json:"junctionIdListNames"`
	JunctionReferenceTo []string `json:"junctionReferenceTo"`
	RelationshipName    *string  `json:"relationshipName"`
	RestrictedDelete    bool     `json:"restrictedDelete"`
}

// objectJSON is an object as describe global shows it.
type objectJSON struct {
	Activateable        bool              `json:"activateable"`
	Createable          bool              `json:"createable"`
	Custom              bool              `json:"custom"`
	CustomSetting       bool              `json:"customSetting"`
	Deletable           bool              `json:"deletable"`
	DeprecatedAndHidden bool              `json:"deprecatedAndHidden"`
	KeyPrefix           string            `json:"keyPrefix"`
	Label               string            `json:"label"`
	LabelPlural         string            `json:"labelPlural"`
	Layoutable          bool              `json:"layoutable"`
	Mergeable           bool              `json:"mergeable"`
	Name                string            `json:"name"`
	Queryable           bool              `json:"queryable"`
	Replicateable       bool              `json:"replicateable"`
	Retrieveable        bool              `json:"retrieveable"`
	Searchable          bool              `json:"searchable"`
	Triggerable         bool              `json:"triggerable"`
	Undeletable         bool              `json:"undeletable"`
	Updateable          bool              `json:"updateable"`
	URLs                map[string]string `json:"urls"`
}

type describeJSON struct {
	objectJSON
	ChildRelationships []childJSON `json:"childRelationships"`
	Fields             []fieldJSON `json:"fields"`
}

func (x *exec) overview(ob *object) objectJSON {
	base := "/services/data/v" + x.version + "/sobjects/" + ob.name
	return objectJSON{
		Createable: ob.allowed("create"), Custom: ob.custom(), Deletable: ob.deletable && ob.allowed("delete"),
		KeyPrefix: ob.prefix, Label: ob.label, LabelPlural: ob.plural, Layoutable: true,
		Mergeable: ob.name == "Contact" || ob.name == "Lead" || ob.name == "Account", Name: ob.name,
		Queryable: true, Replicateable: true, Retrieveable: true, Searchable: true, Triggerable: true,
		Undeletable: ob.deletable, Updateable: ob.allowed("update"),
		URLs: map[string]string{"sobject": base, "describe": base + "/describe", "rowTemplate": base + "/{ID}"},
	}
}

// describeGlobal answers /sobjects with what the user may read.
func (x *exec) describeGlobal() *reply {
	out := struct {
		Encoding     string       `json:"encoding"`
		MaxBatchSize int          `json:"maxBatchSize"`
		SObjects     []objectJSON `json:"sobjects"`
	}{"UTF-8", maxCollection, []objectJSON{}}
	changed := x.org.born
	for _, ob := range x.org.order {
		if ob.changed.After(changed) {
			changed = ob.changed
		}
		if ob.allowed("read") {
			out.SObjects = append(out.SObjects, x.overview(ob))
		}
	}
	if since, given, _ := parseDate(x.header.Get("If-Modified-Since")); given && !changed.After(since) {
		return emptyReply(http.StatusNotModified)
	}
	r := jsonReply(http.StatusOK, out)
	r.header.Set("Last-Modified", roundUp(changed))
	return r
}

// roundUp writes a moment as a header can hold it, never earlier than it is: a
// caller who sends it back must get 304.
func roundUp(t time.Time) string {
	return t.Add(time.Second - 1).Truncate(time.Second).UTC().Format(http.TimeFormat)
}

// describe answers /sobjects/{object}/describe.
func (x *exec) describe(name string) *reply {
	ob := x.org.object(name)
	if ob == nil {
		return notFound().reply()
	}
	if since, given, _ := parseDate(x.header.Get("If-Modified-Since")); given && !ob.changed.After(since) {
		return emptyReply(http.StatusNotModified)
	}
	out := describeJSON{objectJSON: x.overview(ob), ChildRelationships: []childJSON{}}
	for _, c := range ob.children {
		if x.org.object(c.object) == nil {
			continue
		}
		out.ChildRelationships = append(out.ChildRelationships, childJSON{
			CascadeDelete: c.cascade, ChildSObject: c.object, Field: c.field, RelationshipName: &c.name,
			JunctionIDListNames: []string{}, JunctionReferenceTo: []string{},
		})
	}
	for _, f := range ob.fields {
		out.Fields = append(out.Fields, f.describe())
	}
	r := jsonReply(http.StatusOK, out)
	r.header.Set("Last-Modified", roundUp(ob.changed))
	return r
}

func (f *field) describe() fieldJSON {
	out := fieldJSON{
		AutoNumber: f.autoNumber, Calculated: f.calculated, Createable: !f.readOnly && !f.calculated, Custom: f.custom(),
		DefaultedOnCreate: f.kind == typeBoolean || f.autoNumber || f.name == "OwnerId" || f.get != nil && !f.calculated,
		Filterable:        !f.unfiltered, IDLookup: f.name == "Id" || f.unique || f.nameField, Label: f.label, Length: f.length,
		Name: f.name, NameField: f.nameField, NamePointing: len(f.refs) > 1, Polymorphic: len(f.refs) > 1,
		Nillable:    !f.required && f.kind != typeBoolean && f.kind != typeID && f.name != "OwnerId" && !f.autoNumber && !f.system(),
		ReferenceTo: append([]string{}, f.refs...), Picklist: []picklistJSON{}, RestrictedPicklist: f.restricted,
		Sortable: !f.unfiltered, SoapType: f.soapType(), Type: f.kind, Unique: f.unique,
		Updateable: !f.readOnly && !f.calculated && !f.fixed,
	}
	if f.text() {
		out.ByteLength = 3 * f.length
	}
	if f.relation != "" {
		out.RelationshipName = &f.relation
	}
	for _, v := range f.picklist {
		out.Picklist = append(out.Picklist, picklistJSON{Active: true, Label: v, Value: v})
	}
	return out
}

// system says whether the field is one that every object has.
func (f *field) system() bool {
	switch f.name {
	case "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp", "IsDeleted":
		return true
	default:
		return false
	}
}

func (f *field) soapType() string {
	switch f.kind {
	case typeID, typeReference:
		return "tns:ID"
	case typeBoolean:
		return "xsd:boolean"
	case typeDouble, typeCurrency:
		return "xsd:double"
	case typeDate:
		return "xsd:date"
	case typeDateTime:
		return "xsd:dateTime"
	default:
		return "xsd:string"
	}
}
