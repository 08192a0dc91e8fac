package export

import (
	"time"

	"github.com/weirhq/weir"
)

// Schema names the form of a package's manifest.
const Schema = "weir.package/v1"

// Meta is what a package says about itself. The times of all files are
// CreatedAt, so that the same input gives the same bytes.
type Meta struct {
	Request   weir.RequestID
	Subject   string // keyed hash
	CreatedAt time.Time
	Org       weir.OrgID
	Law       string
}

// Table is one object and the columns to begin with. Columns that only the rows
// know, such as those of nested objects, are added behind them.
type Table struct {
	Object string
	Fields []string          // API names, in the order to show; "Owner" covers Owner.Name
	Labels map[string]string // API name → what people call it
}

// Rows is a source that can be read again: each call yields every record of the
// table, always in the same order, as the JSON object that Salesforce sent,
// without its attributes. The bytes belong to the source; they are not kept. An
// error of yield must be returned. The source must stay readable until Close.
type Rows func(yield func(raw []byte) error) error

// Manifest lists what a package holds. It is the last file of the package.
type Manifest struct {
	Schema    string         `json:"schema"`
	Request   weir.RequestID `json:"request"`
	Subject   string         `json:"subject"`
	Org       weir.OrgID     `json:"org"`
	Law       string         `json:"law"`
	CreatedAt time.Time      `json:"created_at"`
	Notes     []string       `json:"notes"`
	Files     []File         `json:"files"`
}

// File is one file of a package.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Rows   int64  `json:"rows"` // records that it shows

	// Cells that were made harmless, CSV and page only.
	Guarded int64 `json:"guarded_cells"` // would have been read as a formula: a single quote was put before it
	Visible int64 `json:"visible_cells"` // held control characters, which are shown as symbols
}

// Records counts the records of all tables.
func (m Manifest) Records() int64 {
	var n int64
	for _, f := range m.Files {
		if isJSON(f.Path) {
			n += f.Rows
		}
	}
	return n
}

// notes are printed in every manifest.
func notes() []string {
	return []string{
		"The JSON files hold every value as the org sent it.",
		"In the CSV files, a cell that a spreadsheet could run as a formula has a single quote before it (guarded_cells).",
		"In the CSV files and on the page, control characters are shown as symbols (visible_cells).",
	}
}
