# One command for each need: `make help` lists them. Nothing here decides how a part is built: tsc, node-gyp and
# scripts/build-bpf.sh do. Rules without a file of their own leave a stamp below build/ or dist/ with the time they began,
# so that a source saved meanwhile is built next time.

MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

# The project's Node.js (on PATH or in .node), looked up in each recipe because `deps` may just have installed it.
node := eval "$$(scripts/env.sh || echo 'echo no Node.js: run sudo make deps >&2; exit 1')" && PATH="$$BNG_NODE_BIN:$$PWD/node_modules/.bin:$$PATH" &&

ts_sources := $(shell find src test scripts -name '*.ts' 2>/dev/null)
bpf_sources := $(shell find bpf -name '*.[ch]' 2>/dev/null)
native_sources := $(shell find native -name '*.cc' -o -name '*.h' -o -name '*.cpp' -o -name '*.hpp' 2>/dev/null)

ARGS ?= --scenario full-lifecycle --subscribers 10

.PHONY: help deps build addon bpf abi docs docs-captures check check-format check-lint check-abi check-docs check-c format test test-unit test-native test-bpf test-lab test-crash test-vagrant test-vm test-node test-asan fuzz soak demo lab lab-up lab-down bench install uninstall deb lock clean distclean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-12s %s\n", $$1, $$2 }'

deps: ## install what is missing: apt packages, Node.js, node_modules (as root)
	@scripts/setup.sh

build: bpf addon dist/.tsc dist/.page ## compile BPF programs, addon, TypeScript and the operator page (the default)

bpf: build/.bpf
build/.bpf: scripts/build-bpf.sh $(bpf_sources)
	@echo 'bpf'
	@mkdir -p build
	@touch $@.begun
	@scripts/build-bpf.sh
	@mv $@.begun $@

# One Node-API binary serves every Node.js from 20 on. --nodedir, because node-gyp would download headers otherwise.
addon: build/.addon
build/.addon: binding.gyp package-lock.json $(native_sources)
	@echo 'addon'
	@mkdir -p build
	@touch $@.begun
	@$(node) node-gyp configure build --nodedir="$$BNG_NODE_DIR" --silent --jobs=2 >build/addon.log 2>&1 || { cat build/addon.log; exit 1; }
	@mv $@.begun $@

dist/.tsc: tsconfig.json package-lock.json $(ts_sources)
	@echo 'tsc'
	@mkdir -p dist
	@touch $@.begun
	@$(node) tsc -p tsconfig.json
	@mv $@.begun $@

page_sources := $(shell find src/operator-page -type f 2>/dev/null)
dist/.page: dist/.tsc $(page_sources)
	@echo 'page'
	@touch $@.begun
	@$(node) tsc -p src/operator-page && node dist/scripts/build-page.js
	@mv $@.begun $@

abi: bpf dist/.tsc ## write src/dataplane/abi.ts anew from bpf/bng_abi.h
	@$(node) node dist/scripts/generate-abi.js
	@$(MAKE) dist/.tsc

docs: dist/.tsc ## write anew whatever is made from the code: references, schema, example, manual page, metrics, dashboards
	@mkdir -p deploy/completion
	@$(node) node dist/scripts/generate-docs.js

docs-captures: build ## play a lab and write docs/bngctl.md and the pictures of the operator page (as root, with chromium)
	@$(node) node dist/scripts/capture-bngctl.js && node dist/scripts/capture-page.js

check: build check-format check-lint check-abi check-docs check-c ## formatting, lint, import directions, stale generated files (types: build); -k goes on after a finding

check-format: build
	@$(node) biome format .
check-lint: build
	@$(node) eslint .
check-abi: build
	@$(node) node dist/scripts/generate-abi.js --check
check-docs: build
	@$(node) node dist/scripts/generate-docs.js --check
check-c: build
	@if command -v clang-format >/dev/null; then clang-format --dry-run -Werror $(bpf_sources) $(native_sources); \
	else echo 'check: clang-format is not installed, C and C++ not checked'; fi

format: ## format TypeScript, C and C++ in place, and apply what lint can fix
	@$(node) eslint --fix .
	@$(node) biome format --write .
	@clang-format -i $(bpf_sources) $(native_sources)

# The steps in order, even under make -j: nothing can build before deps.
test: deps ## set up, build, check and run every test (as root)
	@$(MAKE) -j3 build build/debian-root.tar vm-short
	@$(MAKE) -k check
	@$(node) node dist/scripts/run-tests.js

test-unit: dist/.tsc ## unit tests alone; ONLY=text takes the files whose path holds it
test-native: addon dist/.tsc ## tests of the addon (as root)
test-bpf: build ## packet tables through BPF_PROG_TEST_RUN (as root)
test-lab: build build/debian-root.tar ## the whole house in network namespaces (as root)
test-unit test-native test-bpf test-lab:
	@$(node) node dist/scripts/run-tests.js $(@:test-%=%) $(ONLY:%=--only %)

test-crash: build ## kill the BNG 210 times under fifty subscribers (as root); KILLS=n
	@$(node) BNG_LAB_PATIENCE=4 BNG_CRASH_KILLS=$(or $(KILLS),210) node dist/scripts/run-tests.js lab --only crash-kills --deadline $$((600 + 30 * $(or $(KILLS),210)))

test-node: build ## unit and native tests on Node.js 22 and 24 from the npm registry (as root); NODE=24, ONLY=text
	@$(node) for major in $(or $(NODE),22 24); do scripts/test-node.sh $$major unit native $(ONLY:%=--only %) || exit 1; done

# What the package is installed into: made where there is a network, which the isolated tests do not have.
build/debian-root.tar: scripts/package/test-root.sh deploy/container/packages deploy/container/packages-demo
	@scripts/package/test-root.sh $@

# What the short run on a stock kernel wants (test/vm). Where it cannot be had, that run is skipped and counted so.
.PHONY: vm-short
vm-short:
	@scripts/vm/setup.sh 6.1 || echo 'vm: no short run on a stock kernel'

build/guest-root.tar: scripts/vm/guest-root.sh
	@scripts/vm/guest-root.sh $@

test-vagrant: build build/guest-root.tar ## the three machines of vagrant/ in QEMU, installed by the operator's scripts (as root)
	@scripts/vm/setup.sh vagrant 6.1
	@$(node) node dist/scripts/run-tests.js vagrant $(ONLY:%=--only %)

test-vm: build ## native, bpf and dataplane tests on stock kernels 6.1 and 6.12 in QEMU (as root); KERNEL=6.1, ONLY=text
	@$(node) ONLY='$(ONLY)' scripts/vm/test.sh $(KERNEL)

test-asan: addon dist/.tsc ## native tests with the addon under AddressSanitizer and UndefinedBehaviorSanitizer (as root); ONLY=text
	@$(node) BNG_NODE_DIR="$$BNG_NODE_DIR" scripts/test-asan.sh $(ONLY:%=--only %)

fuzz: dist/.tsc ## grow inputs for every codec and inlet, guided by coverage; TARGET=name, SECONDS=n for each, KEEP=1 keeps what reaches most
	@$(node) node dist/scripts/fuzz.js $(TARGET:%=--target %) $(SECONDS:%=--seconds %) $(KEEP:1=--keep)

soak: build ## a day of 1,000 lines in minutes, with orders and restarts: memory must be flat (as root; SOAK_ARGS="--minutes 5 --lines 1000")
	@$(node) node dist/scripts/soak.js $(SOAK_ARGS)

demo: deps ## set up, build and play a whole ISP with ten subscribers (as root; ARGS="..." replaces its options)
	@$(MAKE) build
	@$(node) exec node dist/src/bin/bng.js demo $(ARGS)

lab: lab-up

lab-up: build ## build the lab's namespaces and leave them up (as root)
	@$(node) node dist/src/bin/bng.js lab up

lab-down: build ## take the lab down
	@$(node) node dist/src/bin/bng.js lab down

bench: build ## measure latency, rates and cost per packet (as root)
	@$(node) node dist/scripts/bench.js $(BENCH_ARGS)

# DESTDIR and PREFIX as everywhere; BUNDLE_NODE=1 takes the Node.js in use along.
PREFIX ?= /usr/local
install: build ## put what is built in place (as root; PREFIX, DESTDIR, BUNDLE_NODE=1)
	@$(node) PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/package/install.sh install
uninstall: ## take it away again; configuration and state stay
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/package/install.sh uninstall

deb: build ## a Debian package in build/, with its own Node.js
	@$(node) scripts/package/build-deb.sh

lock: ## bring package-lock.json up to date with package.json, for every platform
	@$(node) npm install --package-lock-only --no-audit --no-fund --loglevel=error
	@$(node) node scripts/lock-platforms.mjs

clean: ## remove what was built
	@rm -rf build dist

distclean: clean ## remove what was installed below the project too
	@rm -rf .node
	@if [ -L node_modules ]; then rm node_modules; else rm -rf node_modules; fi
