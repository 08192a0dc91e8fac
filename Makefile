# Everything a person runs here. `make demo` and `make test` are enough to
# start: the first needs Go, the second installs the rest on Debian.

.DEFAULT_GOAL := build
.PHONY: build demo test lint check fuzz fmt prove-kill prove-crash prove-acks clean

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

prove-crash: ## kill weir 500 times at random and 3 times at every named point around a durable write, on each store
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=150m -run '^TestCrash$$' ./internal/proof

prove-acks: ## 1,000 lost acknowledgements and 1,000 edits by others, on every rung of the precondition ladder
	WEIR_PROVE=long go test -count=1 -v -timeout=90m -run '^Test(LostAcknowledgements|Conflicts|JudgeSeesOverwrittenEdits)$$' ./engine

fmt: ## format as the linter wants it
	scripts/lint fmt

clean: ## remove what was built
	rm -rf bin .bin
