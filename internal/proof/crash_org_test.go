package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"

	"github.com/weirhq/weir/emulator"
)

// lostIn and writeCalls: of each lostIn writing calls the org loses the
// acknowledgement of one, chosen by chance, for so many calls.
const (
	lostIn     = 9
	writeCalls = 4_500
)

// lose lets the org apply some writes and drop the connection.
func (o *org) lose(seed uint64) {
	o.t.Helper()
	dice := rand.New(rand.NewPCG(seed, 10))
	var script emulator.FaultScript
	for at := 0; at < writeCalls; at += lostIn {
		script = append(script, emulator.ScriptedFault{
			Kind: emulator.FaultLostAck, At: at + 1 + dice.IntN(lostIn), Match: emulator.Match{Writes: true},
		})
	}
	if err := o.tell(o.t.Context(), http.MethodPut, "/faults", script); err != nil {
		o.t.Fatal(err)
	}
}

// lost is how many calls that wrote something the org accepted, and how many of
// their acknowledgements it dropped.
func (o *org) lost() (dropped, accepted int) {
	o.t.Helper()
	var calls []emulator.Call
	o.ask("/log", &calls)
	for _, c := range calls {
		switch {
		case c.Writes == 0:
		case c.Fault == emulator.FaultLostAck:
			dropped++
			accepted++
		case c.Status > 0 && c.Status < http.StatusBadRequest:
			accepted++
		}
	}
	return dropped, accepted
}

// tell asks the control API to do something.
func (o *org) tell(ctx context.Context, method, path string, what any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, o.control+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s of the control API: %s", method, path, resp.Status)
	}
	return nil
}
