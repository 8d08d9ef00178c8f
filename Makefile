# Sereno. `make run` shows it, `make test` proves it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo
export SERENO_TEST_DATA ?= $(abspath ../shared/data)

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

# The development profile: built in half the time of the release, and `make test` uses the same build.
run: tools-run console ## build everything and walk the loop: two nodes, a gateway, a real capture
	$(CARGO) build --locked --workspace
	./target/debug/sereno demo $(ARGS)

release: console ## the programs as they are installed: optimised, stripped, in target/release
	$(CARGO) build --release --locked -p sereno -p sereno-edge

# PROFILE=debug packs the development programs, to try the package without a release build.
deb: ## the Debian package: built, listed, unpacked and tried; the score of its units
	@[ "$(PROFILE)" = debug ] && $(CARGO) build --locked --workspace || $(MAKE) --no-print-directory release
	bash tools/deb.sh $(or $(PROFILE),release)

console: web/dist/index.html ## build the console

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

WEB_SOURCES := $(shell find web/src web/public web/index.html web/vite.config.ts 2>/dev/null -type f)
web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build

test: tools-test console ## all tests
	bash tools/test.sh

test-long: tools-test console ## crash, fuzz and load runs; results into docs/measurements
	bash tools/test-long.sh

# TARGET: a parser (`modbus`, `tls` …) or another target of `tools/fuzz.sh list`; none: all of them.
fuzz: ## fuzz every parser, or TARGET=modbus, for SECONDS=120 each
	bash tools/fuzz.sh $(or $(TARGET),all) $(or $(SECONDS),120)

check: ## formatting, lints, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@if command -v cargo-deny >/dev/null; then cargo deny check; \
	 else echo "skipped: cargo-deny is not installed (cargo install --locked cargo-deny)"; fi

bench: tools-bench ## inner loops, and whole processes beside their peers
	bash tools/bench.sh

# A release build without the fat link: the figures of the detectors do not need it.
eval: ## every detector on the developer scenarios, into docs/evaluation
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
	  $(CARGO) run --release --locked -p detection --example evaluate -- \
	  $(or $(SCENARIOS),$(SERENO_TEST_DATA)/detection) docs/evaluation/developer-scenarios

bench-capture: ## the capture that the benchmark scores (about 400 MB, deterministic)
	bash tools/bench-capture.sh

tools-run:
	@bash tools/need.sh run
tools-test:
	@bash tools/need.sh test
tools-bench:
	@bash tools/need.sh bench

clean: ## remove what was built
	$(CARGO) clean
	rm -rf web/dist web/node_modules web/test-results

.PHONY: help run release deb console test test-long fuzz check bench eval bench-capture tools-run tools-test tools-bench clean
