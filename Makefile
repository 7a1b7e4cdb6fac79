# What the README names and CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo serve check test rust-test conformance lint docs build bench clean

PYTHON ?= python3
VENV := .venv
heading = @printf '\n\033[1m── %s\033[0m\n' "$(1)"

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## the main job: every payload in events/ through the real binary, on this machine
	@echo 'Building the function and the sandbox (the first time, the AWS SDK takes 2 to 4 minutes) ...'
	@cargo build --locked --workspace
	@target/debug/sandbox demo

serve: ## Amazon Connect and a function URL on loopback, until Ctrl-C (ARGS="--rate 2 --fault throttle=0.2")
	@cargo build --locked --workspace
	@target/debug/sandbox serve $(ARGS)

check: lint ## the inner loop: format, lints, unit and in-process tests
	@cargo test --locked --workspace --quiet

lint:
	$(call heading,Format)
	cargo fmt --all --check
	$(call heading,Lints)
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings

docs:
	$(call heading,Rust documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet

rust-test:
	$(call heading,Tests of the function and the sandbox)
	cargo test --locked --workspace

test: lint rust-test docs conformance ## every test
	$(call heading,All tests passed)

$(VENV)/done: conformance/requirements.txt
	$(call heading,Python environment for conformance/)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r conformance/requirements.txt
	touch $@

# checkov and the SAM CLI want different versions of the same packages
$(VENV)-checkov/done: conformance/requirements-checkov.txt
	$(call heading,Python environment for checkov)
	$(PYTHON) -m venv $(VENV)-checkov
	$(VENV)-checkov/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

conformance: $(VENV)/done $(VENV)-checkov/done ## clients and validators nobody here wrote, against the sandbox
	$(call heading,Conformance: strangers against the sandbox)
	cargo build --locked --workspace
	$(VENV)/bin/python -m pytest conformance

build: ## the Lambda bootstrap, target/release/connect-attachment-policy (about 9 minutes)
	cargo build --locked --release --package connect-attachment-policy

bench: build $(VENV)/done ## the benchmarks, against the production binary (about 2 minutes when built)
	@cargo build --locked --workspace
	$(call heading,Propagation at the quota)
	@$(VENV)/bin/python benches/propagation.py

clean: ## everything that was made here
	cargo clean
	rm -rf $(VENV) $(VENV)-checkov .aws-sam dist
