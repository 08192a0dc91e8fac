package bench_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/k-capehart/go-salesforce/v3"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/governor/transport"
)

func connect(creds salesforce.Creds) (*salesforce.Salesforce, error) {
	governed, err := transport.New(http.DefaultTransport, transport.Options{})
	if err != nil {
		return nil, err
	}
	return salesforce.Init(creds, salesforce.WithRoundTripper(governed))
}

// A program that uses go-salesforce is governed by what connect does. Here the
// org refuses the first call and asks for a second of patience, which
// go-salesforce by itself would report as an error.
func Example() {
	org := emulator.New(emulator.Options{Profile: emulator.Profile{Name: "busy", GateFor: 1e9}})
	server := httptest.NewServer(org.Handler())
	defer server.Close()
	org.Put("Account", map[string]any{"Name": "Acme"})
	org.InjectNext(emulator.FaultBurstSeconds, 1)

	keys := org.Credentials()
	sf, err := connect(salesforce.Creds{Domain: server.URL, ConsumerKey: keys.ClientID, ConsumerSecret: keys.ClientSecret})
	if err != nil {
		fmt.Println(err)
		return
	}
	var accounts []struct{ Name string }
	if err := sf.Query("SELECT Name FROM Account", &accounts); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(accounts[0].Name, "after", org.Truth().Faults[emulator.FaultBurstSeconds], "refusal")
	// Output: Acme after 1 refusal
}
