# `make test` is what counts: it changes no source, and CI runs exactly this. `make help` lists the rest.

FMT    = cargo fmt --all --check
CLIPPY = cargo clippy --workspace --all-targets --locked -- -D warnings
DOC    = RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --locked
TEST   = cargo test --locked --no-fail-fast
DENY   = target/tools/bin/cargo-deny --locked

.PHONY: help test quick fix audit bench fuzz chaos demo
.DEFAULT_GOAL := help

help:  ## list the targets
	@awk -F '  ## ' '/^[a-z]+:.*  ## / { split($$1, name, ":"); printf "  make %-8s %s\n", name[1], $$2 }' Makefile

test:  ## everything: set-up (proxies, browser), format, lints, documentation, all tests
	@tests/run tests/setup '$(FMT)' '$(CLIPPY)' '$(DOC)' '$(TEST) --workspace' \
	    '$(CHAOS) --seed 7 --minutes 1.5 || [ $$? = 2 ]' \
	    'target/debug/quorate-chaos evidence short'

quick:  ## what needs no proxy and no process: format, lints, unit tests, properties, repository rules
	@tests/run '$(FMT)' '$(CLIPPY)' \
	    '$(TEST) --workspace --exclude quorate' \
	    '$(TEST) --package quorate --lib --bins' \
	    '$(TEST) --package quorate --test integration tidy::'

fix:  ## rewrite what can be: format, what clippy can mend by itself, the reference of the configuration
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	cargo fmt --all
	cargo run --quiet -- config reference > target/configuration.md && mv target/configuration.md docs/
	cargo run --quiet -- config reference --format json-schema > target/schema.json && \
	    mv target/schema.json docs/configuration.schema.json

audit: target/tools/bin/cargo-deny  ## dependencies: bans, licences, sources; advisories if their database is in reach
	$(DENY) check bans licenses sources
	@if $(DENY) fetch db; then $(DENY) check advisories; \
	else echo 'audit: the advisory database is out of reach; advisories were NOT checked'; fi

target/tools/bin/cargo-deny:
	cargo install cargo-deny --locked --debug --root target/tools

CHAOS  = cargo build --locked --workspace && target/debug/quorate-chaos run

chaos:  ## break clusters of three and five nodes on purpose for half an hour each, and judge what clients saw
	$(CHAOS) --seed $$(date +%s) --minutes 30 --nodes 3
	$(CHAOS) --seed $$(date +%s) --minutes 30 --nodes 5

bench:  ## measure verify against a bare handler, and decisions under 5 to 5,000 rules; print the ratios
	cargo bench --bench verify
	cargo bench -p quorate-core --bench rules

fuzz: target/tools/bin/cargo-fuzz  ## throw made-up input at every parser, FUZZ_SECONDS (60) at each
	fuzz/run $${FUZZ_SECONDS:-60}

target/tools/bin/cargo-fuzz:
	cargo install cargo-fuzz --locked --debug --root target/tools

demo:  ## three nodes, a gateway and guarded sample sites on this machine
	cargo run --release -- demo
