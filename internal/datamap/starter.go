package datamap

import (
	_ "embed"
	"strconv"
	"strings"

	"github.com/weirhq/weir"
)

//go:embed starter.yaml
var starter string

// Starter drafts the data map of an org that uses the standard objects. It
// names only fields that every org has.
func Starter(org weir.OrgID) []byte {
	return []byte(strings.ReplaceAll(starter, "{{org}}", strconv.Quote(string(org))))
}
