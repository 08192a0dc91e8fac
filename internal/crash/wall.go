//go:build crashpoints

package crash

import (
	"fmt"
	"os"
	"time"
)

// Wall is the machine's clock, and so far ahead of it as the file says that the
// environment names: a proof steps it for weir alone, while weir lives.
func Wall() time.Time {
	file := os.Getenv(WallVariable)
	if file == "" {
		return time.Now()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", WallVariable, err))
	}
	by, err := time.ParseDuration(string(text))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", WallVariable, err))
	}
	return time.Now().Add(by)
}
