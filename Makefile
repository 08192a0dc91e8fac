# Everything a person runs here. `make demo` and `make test` are enough to
# start: the first needs Go, the second installs the rest on Debian.

.DEFAULT_GOAL := build
.PHONY: build demo test lint check fuzz fmt prove-kill prove-canary prove-storage clean

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

prove-canary: ## as root: throttle weir 100 times on each store and look for personal data in memory, cores, files, tables and words
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=90m -run '^TestCanary$$' ./internal/proof

prove-storage: ## as root: take the disk away at every write, flip every sealed byte, cut the WAL at every frame
	WEIR_PROVE=long go test -count=1 -v -timeout=60m -run '^Test(EveryChangeFails|EveryByteOfAPage|WALCutAtEveryFrame|AlteredPagesAreNotServed|SQLiteRefusesUnsafePlaces|Storage)$$' ./vault ./engine ./internal/store ./internal/proof

fmt: ## format as the linter wants it
	scripts/lint fmt

clean: ## remove what was built
	rm -rf bin .bin
