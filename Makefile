# A thin front: every target is one line of Bazel or of tools/. `make` explains itself.

BAZEL ?= bazel
ARGS ?=

# The links bazel-* belong to `make build`: nothing else moves them.
BUILD := $(BAZEL) build --config=release
TEST := tools/run-tests

.PHONY: help run test check build asan tsan simulate mutants fuzz linearize coverage bench format \
	tidy clean

help: ## Explains the targets
	@echo "make TARGET, where TARGET is one of"
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '%-12s%s\n' "$$name" "$$text"; done
	@echo
	@echo "On a fresh Debian 12 machine, \`make run\` and \`make test\` install what is missing,"
	@echo "but for Go 1.23, which \`make test\` and \`make check\` need: see docs/testing.md."
	@echo "The tests of the clients fetch what their languages' package managers bring, once."

run: build ## Builds the server and serves on 127.0.0.1:7420 (ARGS="--listen ..." for more)
	bazel-bin/server/contextd $(ARGS)

test: ## Runs every test: C, clients, simulation, fuzzers, real server, sanitizers' smoke
	@tools/install-deps build test fuzz
	$(TEST) all smoke clients simulate fuzz linearize

check: ## Lints: format, clang-tidy, cppcheck, shell, YAML, protocol, Go, tools/tidy
	@tools/install-deps build test check
	tools/check

build: ## Builds bazel-bin/server/contextd and bazel-bin/clients/ctxctl/ctxctl, optimised
	@tools/install-deps build
	$(BUILD) //server:contextd //clients/ctxctl:ctxctl

asan: ## Runs every C test under the address and undefined behaviour sanitizers
	@tools/install-deps build test
	$(TEST) asan

tsan: ## Runs every C test under the thread sanitizer
	@tools/install-deps build test
	$(TEST) tsan

simulate: ## Runs the simulation: SEEDS=2000 FROM=1 (TRACE=1 tells what happens)
	@tools/install-deps build test
	tests/simulation/run $(or $(SEEDS),2000) $(or $(FROM),1) $(TRACE)

mutants: ## Plants bugs in a copy and shows that the simulation finds each
	@tools/install-deps build test
	tests/mutants/run $(ARGS)

fuzz: ## Fuzzes every decoder and request, SECONDS=60 for each
	@tools/install-deps build test fuzz
	tests/fuzz/run $(or $(SECONDS),60)

linearize: ## Checks that the real server, killed and paused, is linearizable (SECONDS=60)
	@tools/install-deps build test
	tests/linearizability/run $(or $(SECONDS),60)

coverage: ## Tells which lines and branches of core/ no test reaches
	@tools/install-deps build test coverage
	tools/coverage

bench: build ## Measures against a null server, and Redis and etcd where installed
	tests/bench/run $(ARGS)

format: ## Formats C and C++ in place
	@tools/install-deps check
	tools/format

tidy: ## Only the house rules: fast
	tools/tidy

clean: ## Stops Bazel's server and removes what was built
	$(BAZEL) clean
	$(BAZEL) shutdown
