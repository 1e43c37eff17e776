# The commands of this project. Each sets up what it needs; all that is needed beforehand is Go, git and bash.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo test readme fuzz chaos lint conformance build tools test-tools

help: ## Say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1	\2/' | expand -t 14

demo: tools build ## Rehearse the whole relay on this machine
	@bin/rehearse

test: tools test-tools ## Run all tests
	go test -race -timeout 60m ./...
	cd examples/software && go test ./...
	$(MAKE) --no-print-directory readme

readme: tools ## Do what the README says, by its own text
	go test -tags readme -timeout 30m -v -run '^TestReadme$$' ./cmd/rehearse

fuzz: ## Run every fuzz target for FUZZTIME (2m), one after another
	@tools/fuzz

chaos: tools ## Release once for every call to the outside and every kind of fault
	set -o pipefail; CHAOS="$${CHAOS-.}" go test -timeout 12h -parallel 4 -v -run '^TestChaos$$' ./internal/rehearsal | grep -E --line-buffered '^ *(---|chaos)|chaos_test.go|^(ok|FAIL)'

lint: tools ## Check format, vet, staticcheck and the workflows
	@files=$$(go -C tools tool gofumpt -l $$(git ls-files '*.go' | sed 's#^#../#')) && \
	  { [[ -z "$$files" ]] || { echo "not formatted; run gofumpt -w on:"; echo "$$files"; exit 1; }; }
	go vet ./...
	bin=$$(go -C tools tool -n staticcheck) && "$$bin" ./...
	go run github.com/rhysd/actionlint/cmd/actionlint -shellcheck= -pyflakes= .github/workflows/*.yml components/starter/*/.github/workflows/*.yml

conformance: tools build ## Hold every AWS resource against the real provider's validation
	@tools/conformance

build: ## Build relay and rehearse into bin/
	go build -ldflags="-s -w" -o bin/relay ./cmd/relay
	go build -o bin/rehearse ./cmd/rehearse

tools: ## Get what the commands need: a Pulumi CLI, and warm caches for the example
	@tools/pulumi >/dev/null
	@go -C examples/software test . >/dev/null && go -C examples/software build -trimpath -buildvcs=false -o /dev/null .

test-tools: # A browser, an XML validator, jq and axe-core, which only the tests need
	@tools/debian chromium xmllint jq
	@tools/axe
