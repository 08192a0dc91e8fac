package demo_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/internal/demo"
)

func TestDbg(t *testing.T) {
	for seed := range uint64(3) {
	o := demo.Defaults()
	o.Dir = filepath.Join(t.TempDir(), "d")
	o.Seed = 42+seed
	o.Speed = 40000
	d, err := demo.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = d.Run(t.Context(), demo.NewTeller(nothing{}, "x", nil, false)); err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Org().Log() {
		if c.Status == 401 || c.Kind == "token" {
			fmt.Println("CALL", c.Seq, c.At.Format("02 15:04:05.000"), c.Kind, c.Status, c.Fault, c.Code)
		}
	}
	rows, _ := d.Engine().Since(t.Context(), 0, 9000)
	for _, r := range rows {
		if r.Entry.Detail["class"] == "auth_drift" || r.Entry.Detail["class"] == "auth_config" || r.Entry.Act=="org.reauth" {
			fmt.Println("   L", r.Entry.At.Format("02 15:04:05.000"), r.Entry.Act, r.Entry.Step, r.Entry.Detail["class"], r.Entry.Detail["code"], r.Entry.Detail["outcome"])
		}
	}
	d.Close(false)
	}
}
