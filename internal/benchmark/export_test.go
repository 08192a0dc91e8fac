package benchmark

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// An access request for a person with very many records, through a running weir,
// from the discovery to the encrypted package, and the most memory that the
// process had while it did that.
func TestExport(t *testing.T) {
	records, look := 3_000, 200*time.Millisecond
	if long() {
		records, look = scaled(1_000_000), 2*time.Second // to ask costs more than it tells
	}
	o := emulator.New(emulator.Options{Profile: emulator.Calm(), RecycleLag: -1, Limits: emulator.Limits{DailyAPI: 10_000_000}})
	contact := o.Put("Contact", map[string]any{"LastName": "Doe", "Email": address(0)})
	for i := range records - 1 {
		o.Put("Task", map[string]any{"WhoId": contact, "Subject": fmt.Sprint("Call back ", i), "Description": "about the parcel"})
	}
	w := install(t, "")
	w.configure(map[string]string{"max_records: 500": "max_records: 2000000"})
	w.connect("one", o)
	s := w.serve()
	w.answers()
	idle := memory(t, s.cmd.Process.Pid, "VmHWM")
	type request struct {
		ID    string `json:"id"`
		Stage string `json:"stage"`
	}
	began := time.Now()
	submitted := decode[struct{ Request request }](t, w.run("email:"+address(0)+"\n", "submit", "--org", "one", "--right", "access"))
	for end := began.Add(time.Hour); ; time.Sleep(look) {
		all := decode[struct{ Requests []request }](t, w.run("", "requests", "--all"))
		if len(all.Requests) == 1 && all.Requests[0].Stage == "DELIVERED" {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s is %v", submitted.Request.ID, all.Requests)
		}
	}
	took, cpu, peak := time.Since(began), s.cpu(), memory(t, s.cmd.Process.Pid, "VmHWM")
	s.stop()
	if !long() {
		if peak > 128 {
			t.Errorf("the export of %d records needed %.0f MiB", records, peak)
		}
		return
	}
	note(t, figure{
		Name: "peak memory of an export", Value: peak, Unit: "MiB", Goal: "≤ 96 with 1,000,000 records", Reached: records >= 1_000_000 && peak <= 96,
		Baseline: fmt.Sprintf("%.0f MiB before the request", idle),
		Note:     fmt.Sprintf("VmHWM, %d records in %s, %.1f s of processor time", records, took.Round(time.Second), cpu.Seconds()),
	})
}
