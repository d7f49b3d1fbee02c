# Everything a contributor runs. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
METSUKE := $(TARGET)/release/metsuke
KILLS ?= 5000
PROVISION_KILLS ?= 10000
RESTORES ?= 1000
ALERT_CRASHES ?= 10000
SERVE_KILLS ?= 500
ARGS ?=

.PHONY: help demo test lint fmt browser fuzz conformance jupiterone api oidc mcp bench simulate safety crash clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Serve the pages on a made-up company (ONCE=1 prints examples and ends)
	@scripts/setup.sh build
	@cargo build --release --locked --package metsuke-cli
	@"$(METSUKE)" demo $(if $(filter-out 0,$(ONCE)),--once)

test: ## Run everything that must pass
	@scripts/setup.sh test
	@scripts/test.sh

lint: ## Check the rules of the house and run the linter
	@cargo xtask tidy
	@cargo clippy --workspace --all-targets --locked -- -D warnings

fmt: ## Format all Rust files
	@cargo fmt --all

browser: ## Look at every page in a real browser (SHOTS=1 makes the pictures of the documentation, PAINT=1 tells how soon pages are painted)
	@scripts/setup.sh browser
	@cargo build --locked --package metsuke-cli
	@$(if $(filter-out 0,$(SHOTS)),METSUKE_SHOTS=1) $(if $(filter-out 0,$(PAINT)),METSUKE_PAINT=1) scripts/browser.sh $(ARGS)

conformance: ## Point Heroku's own command line at the simulator and compare
	@scripts/setup.sh conformance
	@cargo build --release --locked --package metsuke-cli
	@scripts/conformance.sh "$(METSUKE)"

jupiterone: ## Hold exports and uploads against JupiterOne's own schemas and command line
	@scripts/setup.sh conformance
	@cargo build --release --locked --package metsuke-cli
	@scripts/jupiterone.sh "$(METSUKE)"

oidc: ## Sign in through a real OpenID provider
	@scripts/setup.sh conformance
	@cargo build --release --locked --package metsuke-cli
	@scripts/oidc.sh "$(METSUKE)"

mcp: ## Call every tool for assistants with the protocol's own clients
	@scripts/setup.sh conformance
	@cargo build --release --locked --package metsuke-cli
	@scripts/mcp.sh "$(METSUKE)"

api: ## Ask a running server everything that its description allows (EXAMPLES=50)
	@scripts/setup.sh api
	@cargo build --release --locked --package metsuke-cli
	@scripts/schemathesis.sh "$(METSUKE)"

bench: ## Measure, both sides of every ratio, and write docs/benchmarks.md (ARGS=questions)
	@scripts/setup.sh build
	@cargo build --release --locked --package metsuke-cli --package metsuke-bench
	@"$(TARGET)/release/metsuke-bench" $(or $(ARGS),all) write

fuzz: ## Compare compiler and evaluator 100,000 times, and read 1,000,000 mutated questions (QUERIES=100000)
	@scripts/setup.sh test
	@METSUKE_FUZZ=50 NEXTEST_PROFILE=long scripts/cargo-test.sh --release --package metsuke-j1ql mutat
	@METSUKE_QUERIES=$(or $(QUERIES),100000) NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-engine agree_on

simulate: ## Inject every fault at every request of a sync (some minutes)
	@scripts/setup.sh build
	@METSUKE_THOROUGH=1 NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-engine never_remove

safety: ## Do 100,000 random grants and revokes and look for harm (OPS=100000, long)
	@scripts/setup.sh build
	@METSUKE_SAFETY_OPS=$(or $(OPS),100000) NEXTEST_PROFILE=long scripts/cargo-test.sh --cargo-profile campaign --package metsuke-engine no_operation_does_harm

crash: ## Kill syncs, servers, grants, revokes and alerts, and restore backups, many times over (KILLS=5000, SERVE_KILLS=500, PROVISION_KILLS=10000, ALERT_CRASHES=10000, RESTORES=1000, hours)
	@scripts/setup.sh test
	@METSUKE_KILLS=$(KILLS) NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-cli kill_nine_during_sync
	@METSUKE_SERVE_KILLS=$(SERVE_KILLS) NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-cli kill_nine_during_serve
	@METSUKE_PROVISION_KILLS=$(PROVISION_KILLS) NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-cli provision_kill
	@METSUKE_ALERT_CRASHES=$(ALERT_CRASHES) NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-engine alert_crashes
	@METSUKE_THOROUGH=1 NEXTEST_PROFILE=long scripts/cargo-test.sh --package metsuke-store a_migration_killed
	@METSUKE_RESTORES=$(RESTORES) NEXTEST_PROFILE=long scripts/cargo-test.sh --release --package metsuke-engine backups_under_load

clean: ## Remove what was built, and stop the test server
	@scripts/stop-test-postgres.sh
	@cargo clean
	@rm -rf .build
