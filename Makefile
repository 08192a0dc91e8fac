# Everything a person runs here. `make demo` and `make test` are enough to
# start: the first needs Go, the second installs the rest on Debian.

.DEFAULT_GOAL := build
.PHONY: build demo test lint check fuzz fmt prove-kill prove-crash prove-keys prove-audit prove-nodes soak prove-input prove-canary prove-storage bench prove-acks prove-floor bench-peers clean

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

prove-crash: ## kill weir 500 times at random and 3 times at every named point, on each store
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=180m -parallel=3 -run '^TestCrash$$' ./internal/proof

prove-nodes: ## several weirs on one PostgreSQL: shared work, kills, stops, the database gone; a lone weir stopped on SQLite
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=100m -parallel=4 -run '^Test(Nodes|LoneStop)$$' ./internal/proof

soak: ## SOAK (30m) of mixed load and faults on each store: memory and files stay flat; then 100 SIGTERMs under load
	scripts/install
	WEIR_SOAK=$${SOAK:-30m} scripts/with-postgres go test -count=1 -v -timeout=6h -run '^TestSoak$$' ./internal/proof
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=100m -run '^TestTerm$$' ./internal/proof

prove-input: ## a million hostile literals, every way out of the org with every call, every bomb
	WEIR_PROVE=long go test -count=1 -v -timeout=30m -run '^Test(AMillionLiterals|BrokenLiteralsAreNotSent|HostileNamesFindOnlyThemselves|NoSecretLeavesTheOrg|StrangerHears|Bombs)$$' ./salesforce

prove-canary: ## as root: throttle weir 100 times on each store and look for personal data in memory, cores, files, tables and words
	scripts/install
	WEIR_PROVE=long scripts/with-postgres go test -count=1 -v -timeout=90m -run '^TestCanary$$' ./internal/proof

prove-storage: ## as root: take the disk away at every write, flip every sealed byte, cut the WAL at every frame
	WEIR_PROVE=long go test -count=1 -v -timeout=60m -run '^Test(EveryChangeFails|EveryByteOfAPage|WALCutAtEveryFrame|AlteredPagesAreNotServed|SQLiteRefusesUnsafePlaces|Storage)$$' ./vault ./engine ./internal/store ./internal/proof

bench: ## measure speed and size against baselines of the same run; figures go to docs/bench
	scripts/install
	scripts/bench

prove-acks: ## 1,000 lost acknowledgements and 1,000 edits by others, on every rung of the precondition ladder
	WEIR_PROVE=long go test -count=1 -v -timeout=90m -run '^Test(LostAcknowledgements|Conflicts|JudgeSeesOverwrittenEdits)$$' ./engine

# Parameters and seeds that we never saw; what you make goes to OUT instead of docs/bench and the README:
#   make bench-peers OUT=/tmp/mine FIRST=7000 SEEDS=50 SCENARIOS=bursty,daily RANGES='-rate 5,20 -onoff 1,10 -neighbours 0.5'
# RANGES takes -rate -burst -onoff -trip -cap -chance -neighbours (least,most or one value) and -limit -workers -calls.
FIRST ?= 1001
SEEDS ?= 30
ORGS ?= 10000
bench-peers: ## weir and its peers on the same throttled orgs, in virtual time; jsforce only where npm is
	@if command -v npm >/dev/null; then cd bench/judge/jsforce && npm ci --no-audit --no-fund || echo 'jsforce is left out: npm ci failed'; \
	else echo 'jsforce is left out: there is no npm'; fi
	cd bench && go test ./judge -count=1 -v -timeout=0 -run '^TestPeers$$' -args -compare -first $(FIRST) -seeds $(SEEDS) \
		$(if $(SCENARIOS),-scenarios $(SCENARIOS)) $(RANGES) $(if $(OUT),-out $(abspath $(OUT)),-out $(CURDIR)/docs/bench -page $(CURDIR)/README.md)

prove-floor: ## 10,000 orgs with a daily allocation and neighbours that nobody knows: the floor is never crossed knowingly
	cd bench && go test ./judge -count=1 -v -timeout=0 -run '^TestWeir$$' -args -scenarios daily -first $(FIRST) -seeds $(ORGS)

fmt: ## format as the linter wants it
	scripts/lint fmt

clean: ## remove what was built
	rm -rf bin .bin
