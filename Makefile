# Everything a contributor runs. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
METSUKE := $(TARGET)/release/metsuke
KILLS ?= 5000
ARGS ?=

.PHONY: help demo test lint fmt simulate conformance bench crash clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Show the product on a made-up company (ONCE=1 ends after printing)
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

simulate: ## Serve a made-up Heroku (ARGS="--size company --seed 7")
	@scripts/setup.sh build
	@cargo build --release --locked --package metsuke-cli
	@"$(METSUKE)" simulate $(ARGS)

conformance: ## Point Heroku's own command line at the simulator and compare
	@scripts/setup.sh conformance
	@cargo build --release --locked --package metsuke-cli
	@scripts/conformance.sh "$(METSUKE)"

bench: ## Measure, and print both sides of every ratio
	@scripts/setup.sh build
	@cargo run --release --locked --package metsuke-bench -- all $(ARGS)

crash: ## Kill a sync many times over (KILLS=5000)
	@scripts/setup.sh test
	@METSUKE_KILLS=$(KILLS) scripts/cargo-test.sh kill

clean: ## Remove what was built, and stop the test server
	@scripts/stop-test-postgres.sh
	@cargo clean
	@rm -rf .build
