# Two commands matter: `make demo` and `make test`. Both install what they need first (setup.sh).

.DEFAULT_GOAL := help
.PHONY: help demo test setup-demo setup-test format deny lint nextest bench-smoke doctest doc fuzz bench dist dist-centre dist-check

# How the demo is run: DEMO_FLAGS=--exit ends it by itself, with 0 only when every expected alert came.
DEMO_FLAGS ?=
# The demo shares the tests' build; PROFILE=quick makes optimised binaries.
PROFILE ?= dev
# How long each fuzz target runs in `make test`.
FUZZ_SECONDS ?= 10

binaries = target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

help:
	@echo 'make demo                      the whole path in one process, fed from shipped captures'
	@echo 'make demo DEMO_FLAGS=--exit    the same, ends by itself; 0 when every expected alert came'
	@echo 'make test                      everything that CI runs'
	@echo 'make format|deny|lint|nextest|bench-smoke|doctest|doc|fuzz|dist-check    one part of it'
	@echo 'make dist                      the sensor for the field, in dist/: static binary, package, list of parts'
	@echo 'make dist-centre               the Debian package of the centre, in dist/'
	@echo 'make bench                     the benchmarks, in full'

demo: setup-demo
	$(binaries)/noroshi demo $(DEMO_FLAGS)

# Cheap checks first: a wrong licence or a long line is known before anything is compiled.
test: setup-test
	$(MAKE) --no-print-directory format
	$(MAKE) --no-print-directory deny
	$(MAKE) --no-print-directory lint
	$(MAKE) --no-print-directory nextest
	$(MAKE) --no-print-directory bench-smoke
	$(MAKE) --no-print-directory doctest
	$(MAKE) --no-print-directory doc
	$(MAKE) --no-print-directory fuzz
	$(MAKE) --no-print-directory dist-check
	@echo 'test: all green'

setup-demo:
	@PROFILE=$(PROFILE) ./setup.sh demo

setup-test:
	@./setup.sh test

format:
	cargo fmt --all --check

# Advisories need a database from elsewhere, so they are not part of what must work offline.
deny:
	cargo deny --log-level error check bans licenses sources

lint:
	cargo clippy --quiet --workspace --all-targets -- -D warnings

nextest:
	cargo nextest run --workspace --no-fail-fast

# Without `--bench` among its arguments a benchmark makes one small round, to show that it runs.
bench-smoke:
	cargo test --quiet --workspace --bench '*'

doctest:
	cargo test --quiet --workspace --doc

doc:
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --workspace --no-deps --document-private-items

fuzz:
	@FUZZ_SECONDS=$(FUZZ_SECONDS) ./fuzz.sh

bench:
	cargo bench --workspace

dist:
	@./setup.sh dist
	@packaging/dist.sh

# The centre's Debian package, optimised.
dist-centre:
	@./setup.sh dist
	@packaging/centre.sh

# Tries what `make dist` makes, as a machine in the field would, and how the centre's package installs,
# with the binary of the tests.
dist-check: dist
	@packaging/centre.sh dev
	@packaging/check.sh
