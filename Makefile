# k6-realtime. `make help` lists the targets; each does what it needs first.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

NODE_BIN := node_modules/.bin
INSTALLED := node_modules/.package-lock.json
SOURCES := $(shell find scripts lib cli server report build -name '*.ts' -o -name '*.css' 2>/dev/null) package.json
K6_SOURCES := $(shell find extension -name '*.go') extension/go.mod extension/go.sum
# A tool is a TypeScript file, bundled before it runs: Node 20 cannot load TypeScript.
TOOL = $(NODE_BIN)/esbuild $(1).ts --bundle --platform=node --format=esm --target=node20.19 --packages=external \
	--log-level=warning --outfile=.cache/$(1).js && node .cache/$(1).js

.PHONY: help
help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{ printf "%-12s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(INSTALLED) bin/k6 ## Installs the packages and builds bin/k6.

$(INSTALLED): package.json package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

bin/k6: $(K6_SOURCES)
	@echo "building bin/k6 from the pinned module: about two minutes the first time"
	cd extension && go build -trimpath -o ../bin/k6 ./cmd/k6

.cache/ruler: $(K6_SOURCES)
	cd extension && go build -trimpath -o ../.cache/ruler ./cmd/ruler

.PHONY: build
build: dist/.built ## Bundles the k6 scripts and the command line into dist/.

dist/.built: $(INSTALLED) $(SOURCES)
	@$(call TOOL,build/bundle)
	@touch $@

.PHONY: check
check: $(INSTALLED) build ## Format, lint, types, generated files and quick unit tests.
	$(NODE_BIN)/oxfmt --check .
	$(NODE_BIN)/oxlint --type-aware --deny-warnings
	$(NODE_BIN)/tsc -p lib
	$(NODE_BIN)/tsc -p lib/k6
	$(NODE_BIN)/tsc -p report/page
	$(NODE_BIN)/tsc -p .
	$(NODE_BIN)/tsc -p test/browser
	@$(call TOOL,build/docs) --check
	$(NODE_BIN)/vitest run --project unit

# The race detector needs a C compiler.
RACE := $(if $(shell command -v gcc || command -v cc),-race)

.PHONY: check-go
check-go: ## Format, vet and tests of the extension, with the race detector where there is a C compiler.
	cd extension && test -z "$$(gofmt -l .)" && go vet ./... && go test $(RACE) ./...

.PHONY: test
test: setup build check check-go ## Everything: check, the extension's tests, the report in Chromium, and the end-to-end tests with real k6.
	for script in dist/*.js; do bin/k6 inspect "$$script" >/dev/null; done
	$(NODE_BIN)/vitest run --project long
	$(NODE_BIN)/vitest run --project browser
	$(NODE_BIN)/vitest run --project e2e

.PHONY: demo
demo: setup build ## Streams human speech to a real recogniser for half a minute and prints the latencies.
	@$(call TOOL,build/demo)

.PHONY: bench
bench: setup build .cache/ruler ## Cost of k6 under load and of a report of 100,000 sessions; TABLE=realtime, chat or report.
	@$(call TOOL,test/bench/bench) $(TABLE)

.PHONY: accuracy
accuracy: setup build ## What k6 measured against what the reference server did, best of three; PART=paced or streamed.
	@$(call TOOL,test/bench/accuracy) $(PART)

.PHONY: verdicts
verdicts: setup build ## Runs spoilt on purpose, one way for each reason: wrong verdicts are counted.
	@$(call TOOL,test/bench/verdicts) $(PART)

.PHONY: false-alarms
false-alarms: build ## How often a comparison is wrong, by simulation: four minutes.
	@$(call TOOL,test/bench/false-alarms)

.PHONY: docs
docs: $(INSTALLED) ## Rewrites the generated parts of the documentation.
	@$(call TOOL,build/docs)

.PHONY: format
format: $(INSTALLED) ## Formats everything.
	$(NODE_BIN)/oxfmt .

.PHONY: clean
clean: ## Removes what was built.
	rm -rf dist bin .cache results
