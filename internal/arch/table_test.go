package arch

import "slices"

// layer is a floor of the house; imports point down.
type layer string

const (
	words   layer = "words"   // what things are called; the standard library only
	core    layer = "core"    // decides; pure
	edges   layer = "edges"   // the wire, the disk, the database
	shell   layer = "shell"   // acts on decisions
	faces   layer = "faces"   // what people and machines see
	support layer = "support" // for tests and tools only; nothing of the product imports it
)

// place is a package's place in the house.
type place struct {
	layer     layer
	may       []string // packages of ours that its code may import
	testsMay  []string // further ones that its tests may import
	databases bool     // its code may import database/sql
}

// root is how the tables name package weir itself.
const root = "weir"

var (
	wordsAll = []string{root, "internal/pii"}
	coreAll  = []string{
		"governor", "internal/deadline", "internal/datamap", "internal/plan",
		"internal/deadletter", "internal/ledger", "internal/export", "internal/schedule",
	}
	edgesOurs = []string{"salesforce", "vault", "internal/store", "governor/transport"}
	all       = slices.Concat(wordsAll, coreAll, edgesOurs, []string{
		"emulator", "engine", "internal/runner", "internal/web", "internal/metrics",
		"internal/config", "internal/demo", "internal/pgtest",
	})
)

// house is the whole table. A package that is not in it fails the test; one
// that is in it and does not exist yet does not.
var house = map[string]place{
	root:           {layer: words},
	"internal/pii": {layer: words},

	"governor":            {layer: core, may: wordsAll, testsMay: coreAll},
	"internal/deadline":   {layer: core, may: wordsAll, testsMay: coreAll},
	"internal/datamap":    {layer: core, may: wordsAll, testsMay: coreAll},
	"internal/deadletter": {layer: core, may: wordsAll, testsMay: coreAll},
	"internal/schedule":   {layer: core, may: wordsAll, testsMay: coreAll},
	"internal/ledger":     {layer: core, may: wordsAll, testsMay: coreAll},
	// The two that read the data map: a plan is made from it, and a package
	// labels its fields by it.
	"internal/plan":   {layer: core, may: with(wordsAll, "internal/datamap"), testsMay: coreAll},
	"internal/export": {layer: core, may: with(wordsAll, "internal/datamap"), testsMay: coreAll},

	"salesforce":     {layer: edges, may: wordsAll, testsMay: []string{"emulator"}},
	"vault":          {layer: edges, may: with(wordsAll, "internal/crash")},
	"internal/store": {layer: edges, may: slices.Concat(wordsAll, coreAll), testsMay: []string{"internal/pgtest"}, databases: true},
	// The one edge above another: it classifies answers with the table of the wire.
	"governor/transport": {layer: edges, may: with(wordsAll, "governor", "salesforce", "internal/socket"), testsMay: []string{"emulator"}},
	// Moments to die, named for whoever writes to a disk.
	"internal/crash": {layer: edges},
	// For the two that meet at a running weir's socket.
	"internal/socket": {layer: edges},
	// The emulator shares nothing with us, tests included, so that a shared
	// misunderstanding of Salesforce cannot hide.
	"emulator": {layer: edges},

	"internal/runner": {
		layer: shell, databases: true,
		may:      slices.Concat(wordsAll, coreAll, edgesOurs, []string{"internal/crash"}),
		testsMay: []string{"emulator", "internal/pgtest"},
	},
	"engine": {
		layer: shell, databases: true,
		may:      slices.Concat(wordsAll, coreAll, edgesOurs, []string{"internal/crash", "internal/runner"}),
		testsMay: []string{"emulator", "internal/pgtest", "internal/tampertest"},
	},

	"internal/metrics": {layer: faces, may: wordsAll, testsMay: all},
	"internal/config":  {layer: faces, may: wordsAll, testsMay: all},
	"internal/web":     {layer: faces, may: slices.Concat(wordsAll, coreAll, edgesOurs, []string{"engine", "internal/socket"}), testsMay: all},
	"internal/demo":    {layer: faces, may: without(all, "internal/runner", "internal/pgtest", "internal/demo"), testsMay: all},
	"cmd/weir":         {layer: faces, may: without(all, "internal/runner", "internal/pgtest"), testsMay: all},
	// A second implementation for auditors: it shares nothing with us, so that
	// what weir gets wrong is not wrong there too.
	"cmd/weir-verify": {layer: faces, testsMay: with(all, "internal/tampertest")},

	"internal/arch":             {layer: support},
	"internal/pgtest":           {layer: support, databases: true},
	"internal/tampertest":       {layer: support, may: wordsAll},
	"internal/tools/testcount":  {layer: support},
	"internal/tools/benchtable": {layer: support},
	"internal/tools/termsvg":    {layer: support},
	// Real processes under attack; it looks at them from outside.
	"internal/proof": {layer: support, testsMay: with(all, "internal/crash"), databases: true},
	// The same, measured instead of attacked.
	"internal/benchmark": {layer: support, testsMay: all, databases: true},
}

// coreBans is what decides nothing: I/O, clocks, dice, waiting. Words keep to
// the same list.
var coreBans = []string{
	"context", "crypto/rand", "database/sql", "math/rand", "math/rand/v2", "net", "net/http",
	"os", "os/exec", "os/signal", "syscall", "testing/synctest",
}

// clockCalls are the functions of package time that read a clock or wait.
var clockCalls = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// servingCalls are the names of net/http that make a handler: the shell may
// hand a transport through, and must not answer.
var servingCalls = []string{
	"FileServer", "Handle", "HandleFunc", "Handler", "HandlerFunc", "ListenAndServe", "NewServeMux",
	"ResponseWriter", "Serve", "ServeMux", "Server",
}

// owners says which packages' code may import a library or a guarded package
// of the standard library. The longest matching prefix decides.
var owners = map[string][]string{
	// River distributes work; only the runner knows it.
	"github.com/riverqueue/river": {"internal/runner"},
	// SQL is spoken by the store.
	"github.com/jackc/pgx/v5":     {"internal/store", "internal/pgtest"},
	"modernc.org/sqlite":          {"internal/store"},
	"github.com/pressly/goose/v3": {"internal/store"},

	// Ciphers are the vault's. Hashes and signatures are free.
	"crypto/aes":                        {"vault"},
	"crypto/cipher":                     {"vault"},
	"crypto/des":                        {"vault"},
	"crypto/hpke":                       {"vault"},
	"crypto/rc4":                        {"vault"},
	"filippo.io/age":                    {"vault"},
	"github.com/tink-crypto/tink-go/v2": {"vault"},
	"golang.org/x/crypto":               {"vault"},

	// The rest, by who needs it.
	"github.com/prometheus":                    {"internal/metrics"},
	"github.com/goccy/go-yaml":                 {"internal/config", "internal/datamap"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"internal/config", "internal/datamap"},
	"github.com/golang-jwt/jwt/v5":             {"salesforce", "emulator"},
	"golang.org/x/mod/sumdb":                   {"internal/ledger", "engine", "cmd/weir", "cmd/weir-verify"},
	"golang.org/x/sync":                        {"engine", "internal/runner", "salesforce", "internal/demo", "cmd/weir"},
	"golang.org/x/sys":                         {"vault", "internal/store", "internal/runner", "engine", "internal/config", "internal/web", "cmd/weir"},
	"golang.org/x/term":                        {"cmd/weir", "internal/demo"},
	"github.com/spf13":                         {"cmd/weir"},
	"github.com/vbauerster/mpb/v8":             {"cmd/weir", "internal/demo"},
	"github.com/jedib0t/go-pretty/v6":          {"cmd/weir", "internal/demo"},
}

// testLibraries may be imported by any test and by no code.
var testLibraries = []string{
	"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "go.uber.org/goleak", "pgregory.net/rapid",
}

func with(some []string, more ...string) []string { return slices.Concat(some, more) }

func without(some []string, fewer ...string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(s string) bool { return slices.Contains(fewer, s) })
}
