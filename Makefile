# What the README names and CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo serve check test rust-test conformance lint docs build sam-build dist deploy bench soak clean

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

# every audit and metrics line of the tests, for conformance/test_audit.py
AUDIT_LINES := $(CURDIR)/target/audit-lines
rust-test:
	$(call heading,Tests of the function and the sandbox)
	rm -rf $(AUDIT_LINES)
	AUDIT_LINES=$(AUDIT_LINES) cargo test --locked --workspace

soak: ## the promise about the audit at length: 1,000 kills at random instants (about 2 minutes)
	KILL_RUNS=1000 cargo test --locked --workspace --test it whenever_it_is_killed -- --nocapture

test: export AUDIT_LINES := $(AUDIT_LINES)
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

conformance: $(VENV)/done $(VENV)-checkov/done sam-build ## clients and validators nobody here wrote, against the sandbox
	$(call heading,Conformance: strangers against the sandbox)
	cargo build --locked --workspace
	$(VENV)/bin/python -m pytest conformance

build: ## the Lambda bootstrap, target/release/connect-attachment-policy (about 9 minutes)
	cargo build --locked --release --package connect-attachment-policy

# One release build for everything that needs a production binary. The host's architecture: zig builds
# for another one too, but a test could not start it.
ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
SAM := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam
sam-build: $(VENV)/done ## the bootstraps of template.yaml for this machine, in .aws-sam (about 9 minutes)
	$(call heading,sam build)
	cargo metadata --locked --format-version 1 > /dev/null
	$(SAM) build --parameter-overrides Architecture=$(ARCH)

dist: sam-build ## dist/: a versioned zip with checksum, SBOM and third-party licences
	$(call heading,Distribution)
	$(VENV)/bin/python packaging/dist.py --architecture $(ARCH) --bootstrap .aws-sam/build/ApiFunction/bootstrap

deploy: ## build and deploy with samconfig.toml's environment (ENV=dev or prod)
	cargo metadata --locked --format-version 1 > /dev/null
	sam build --config-env $(or $(ENV),default)
	sam deploy --config-env $(or $(ENV),default)

bench: build $(VENV)/done ## the benchmarks, against the production binary (about 2 minutes when built)
	@cargo build --locked --workspace
	$(call heading,Propagation at the quota)
	@$(VENV)/bin/python benches/propagation.py

clean: ## everything that was made here
	cargo clean
	rm -rf $(VENV) $(VENV)-checkov .aws-sam dist
