# Targets are listed by `make help`.

GO          ?= go
BIN         := bin/rescind
RELEASE     ?= $(shell git describe --tags --always --dirty 2>/dev/null)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/rescind
	$(GO) build -trimpath -ldflags '-X main.release=$(RELEASE)' -o $(BIN) ./cmd/rescind

# Of one package's tests, which take a minute or two. go test gives them ten, which is
# little for a slow machine that runs several packages at once.
TIMEOUT ?= 40m

.PHONY: test
test: ## run the tests
	$(GO) test -timeout $(TIMEOUT) ./...

.PHONY: race
race: ## run the tests under the race detector
	$(GO) test -timeout $(TIMEOUT) -race ./...

.PHONY: tools
tools: ## download what lint runs
	@$(GO) run $(STATICCHECK) -version

.PHONY: lint
lint: ## check formatting, go vet and staticcheck
	@files="$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go'))"; \
		if [ -n "$$files" ]; then echo "not formatted by gofmt:" $$files; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags e2e ./test/...
	$(GO) run $(STATICCHECK) -tags e2e ./...

# The targets of a package run from one test binary: to ask go test for each takes
# longer than ten thousand inputs do. What it finds interesting is kept where go
# test -fuzz would keep it.
# -test.fuzzminimizetime: by default, making one input smaller takes up to a minute,
# in which nothing is tried.
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	@set -e; built="$$(mktemp -d)"; trap 'rm -rf "$$built"' EXIT; \
	for package in $$(git grep --untracked -lE '^func Fuzz' -- '*_test.go' | xargs -n 1 dirname | sort -u); do \
		$(GO) test -c -fuzz . -o "$$built/fuzz.test" "./$$package"; \
		found="$$($(GO) env GOCACHE)/fuzz/$$($(GO) list "./$$package")"; \
		cd "$$package"; \
		for target in $$("$$built/fuzz.test" -test.list '^Fuzz'); do \
			echo "$$package $$target"; \
			"$$built/fuzz.test" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZTIME) \
				-test.fuzzminimizetime 10x -test.fuzzcachedir "$$found"; \
		done; \
		cd - >/dev/null; \
	done

# Flags of the measurements: BENCH=-help lists them, BENCH=-quick takes minutes.
BENCH ?= -o bench/RESULTS.md

.PHONY: bench
bench: build ## measure beside nginx and Varnish, for about half an hour
	bench/install
	$(GO) run ./bench -rescind $(BIN) $(BENCH)

WANROUNDS ?= 16

.PHONY: bench-wan
bench-wan: ## how fast purges cross the world, in virtual time; some minutes
	$(GO) test ./bench/wan -count 1 -timeout 60m -run TestMeasure -v -wan.rounds $(WANROUNDS) -wan.o ../WAN.md

.PHONY: bench-cluster
bench-cluster: build ## what a purge costs each of 16 nodes on this machine
	$(GO) run ./bench/cluster -rescind $(BIN) -o bench/CLUSTER.md

# SEED=0 draws a seed for each run; the seed of a failing run is in its message.
SEED ?= 0
N    ?= 300
SIM   = $(GO) test ./internal/sim -count 1 -timeout 60m -run

.PHONY: sim
sim: ## random histories of clusters in virtual time: SEED= N=
	$(SIM) TestRandomHistories -sim.seed $(SEED) -sim.n $(N)

.PHONY: sim-long
sim-long: ## thousands of them, for some minutes
	$(SIM) TestRandomHistories -sim.n 5000 -v

.PHONY: demo
demo: ## show the product working, and exit
	$(GO) run ./cmd/rescind demo --once

.PHONY: e2e
e2e: ## test the real binary from outside
	$(GO) test -timeout $(TIMEOUT) -count 1 -tags e2e ./test/...

.PHONY: ci
ci: ## all that a change must pass
	.ci/run

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
