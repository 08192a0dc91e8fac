# Everything a person runs here. `make demo` and `make test` are enough to
# start: the first needs Go, the second installs the rest on Debian.

.DEFAULT_GOAL := build
.PHONY: build demo test lint check fuzz fmt prove-kill prove-keys prove-audit clean

build: ## the static binaries: bin/weir, and bin/weir-verify for auditors
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/weir ./cmd/weir-verify

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

prove-keys: ## rotate 100,000 request keys, killed in the middle again and again, on each store
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=60m -run '^TestKeys$$' ./internal/proof

prove-audit: ## 1,000 tamperings, each found by both verifiers, and a verification of 1,000,000 entries on each store
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=60m -run '^Test(Tampering|StrayEntries|BothVerifiers.*|AuditOfAMillion)$$' ./engine ./cmd/weir-verify ./internal/proof

fmt: ## format as the linter wants it
	scripts/lint fmt

clean: ## remove what was built
	rm -rf bin .bin
