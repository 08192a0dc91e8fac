# Everything a person runs here. `make demo` and `make test` are enough to
# start: the first needs Go, the second installs the rest on Debian.

.DEFAULT_GOAL := build
.PHONY: build demo test lint check fuzz fmt prove-kill bench-peers clean

build: ## the static binary, bin/weir
	CGO_ENABLED=0 go build -trimpath -o bin/weir ./cmd/weir

demo: build ## the main job on an emulated org; exit 10 says that a dead letter waits for a person, as it should
	bin/weir demo --once || [ $$? -eq 10 ]

test: ## every test on SQLite and PostgreSQL
	scripts/test

lint: ## golangci-lint with .golangci.yml
	scripts/lint

check: test lint ## what a change must pass

fuzz: ## every fuzz target for FUZZTIME each
	scripts/fuzz

prove-kill: ## kill weir 50 times under 200 requests, on each store, and ask the org what really happened
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=75m -run '^TestKill$$' ./internal/proof

# Parameters and seeds that we never saw: make bench-peers FIRST=7000 SEEDS=50 SCENARIOS=bursty
FIRST ?= 1001
SEEDS ?= 30
SCENARIOS ?= fixed,fixed+ra,steps,steps+ra,bursty,cap,cap20s,daily
bench-peers: ## weir and its peers on the same throttled orgs, in virtual time
	cd bench && go test ./judge -count=1 -v -timeout=120m -run '^TestPeers$$' -args -compare -scenarios $(SCENARIOS) -first $(FIRST) -seeds $(SEEDS) -out $(CURDIR)/docs/bench

fmt: ## format as the linter wants it
	scripts/lint fmt

clean: ## remove what was built
	rm -rf bin .bin
