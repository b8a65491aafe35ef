# Yinxin. `make help` lists the targets from their ## comments.
SHELL := /bin/bash
GO ?= go
# Every step builds with the same flags, so that each finds what the others built. Paths of this machine are in nothing.
export GOFLAGS := -buildvcs=false -trimpath
export GOTOOLCHAIN := local
# The version that an agent says it is (internal/release): that of the tag, else the time and name of the commit in the form
# of Go's pseudo-versions, which compare by time; without a history it is unknown.
VERSION := $(or $(shell git -C $(CURDIR) describe --tags --dirty --match 'v[0-9]*' 2>/dev/null),$(shell \
	TZ=UTC git -C $(CURDIR) log -1 --format=v0.0.0-%cd-%h --date=format-local:%Y%m%d%H%M%S 2>/dev/null),unknown)
STAMP := -X yinxin/internal/release.version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
DEMO ?= ./demo
FUZZTIME ?= 20s
# Debian packages that the demo and the tests use at run time: a CJK font, PDF tools as independent readers, a database.
RUN_PACKAGES := fonts-arphic-gbsn00lp
# What the soft token is built with.
TOKEN_PACKAGES := gcc libc6-dev make pkgconf libssl-dev libp11-kit-dev
# What the program is built with for the terminals of clerks.
AGENT_PACKAGES := gcc libc6-dev gcc-mingw-w64-x86-64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross
# On the same system the compiler by its usual name: under another, Go builds everything once more.
AMD64_CC := $(if $(filter x86_64,$(shell uname -m)),gcc,x86_64-linux-gnu-gcc)
# Packages with files of their own for Windows.
WINDOWS_ROOMS := . ./api/agent ./hsm ./internal/selflimit ./internal/durable ./sealer/view ./sealer/pdf/normalise
TEST_PACKAGES := $(RUN_PACKAGES) qpdf mupdf-tools poppler-utils postgresql openssl chromium $(TOKEN_PACKAGES) opensc softhsm2

WAYUP_PACKAGES := fonts-noto-cjk fonts-lxgw-wenkai fonts-arphic-gkai00mp fonts-arphic-bsmi00lp fonts-arphic-gbsn00lp fonts-dejavu-core

.PHONY: help build agents softtoken softtoken-check pull-outs run test lint unit race fuzz fuzz-package fuzz-hour bench docs tables openapi pictures imprint-table wayup clean run-packages test-packages

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

build: ## build/yinxin, and build/libyinxin-softtoken.so where what it needs is there
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or newer is needed: see https://go.dev/dl/"; exit 1; }
	@mkdir -p build
	$(GO) build -ldflags '$(STAMP)' -o build/yinxin .
	@if $(MAKE) -s -C hsm/softtoken able 2>/dev/null; then $(MAKE) -s -C hsm/softtoken OUT=$(CURDIR)/build; \
		else echo "the soft token is not built here: make softtoken installs what it needs"; fi

softtoken: ## build/libyinxin-softtoken.so, a PKCS#11 module for tests and demonstrations
	$(call install,$(TOKEN_PACKAGES))
	@$(MAKE) -s -C hsm/softtoken OUT=$(CURDIR)/build

softtoken-check: ## the soft token under sanitizers and valgrind, and its stored files fuzzed
	$(call install,$(TOKEN_PACKAGES) valgrind)
	@$(MAKE) -s -C hsm/softtoken OUT=$(CURDIR)/build check

pull-outs: ## 8 goroutines make 20,000 signatures each while the token is pulled out and put in again
	YINXIN_SIGNATURES=20000 $(GO) test ./hsm -run PullOuts -v -count=1 -timeout 1h

# Tokens are reached through C, so each system has its compiler.
agents: ## build/agents: the program for the terminals of clerks, windows/amd64, linux/amd64 and linux/arm64
	$(call install,$(AGENT_PACKAGES))
	@mkdir -p build/agents
	CGO_ENABLED=1 GOOS=linux GOARCH=amd64 CC=$(AMD64_CC) $(GO) build -ldflags '-s -w $(STAMP)' -o build/agents/yinxin-linux-amd64 .
	CGO_ENABLED=1 GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc $(GO) build -ldflags '-s -w $(STAMP)' -o build/agents/yinxin-linux-arm64 .
	CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc $(GO) build -ldflags '-s -w $(STAMP)' -o build/agents/yinxin-windows-amd64.exe .
	CGO_ENABLED=1 GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc $(GO) vet $(WINDOWS_ROOMS)

run: run-packages build ## build, run the demo in ./demo and serve it
	./build/yinxin demo --dir $(DEMO)

test: test-packages lint agents unit softtoken-check race fuzz ## every test: lint, the agents' builds, unit and command tests, the soft token, race, time-boxed fuzzing

lint: ## gofmt, vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt: $$out"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# lint vets; -vet=off keeps these steps from doing it again.
unit: ## unit, conformance and command tests
	$(GO) test -vet=off -timeout 40m ./...

race: ## the rooms with concurrency, under the race detector
	$(GO) test -vet=off -race -short ./internal/store/... ./internal/ledger ./internal/access ./internal/files ./keystore ./hsm ./sealer ./ca/chain ./api/agent
	$(GO) test -vet=off -race -short ./sealer/view -run 'Many|RequestsEnd'

# Packages are fuzzed beside each other, each on one core; those with the most targets first.
fuzz: ## every fuzz target for FUZZTIME
	@mkdir -p build; grep -rc --include='*_test.go' '^func Fuzz' . | grep -v ':0$$' | sed -E 's,/[^/]*:, ,' | \
		awk '{ n[$$1] += $$2 } END { for (p in n) print n[p], p }' | sort -rn | cut -d ' ' -f 2 | \
		xargs -P $$(nproc) -I '{}' $(MAKE) -s --no-print-directory fuzz-package PACKAGE='{}' FUZZTIME=$(FUZZTIME)

# A package is built once for all its targets. The fuzzer may report the end of its own time as a failure when an input is under
# way; that alone is none.
fuzz-package:
	@binary=$$(mktemp $(CURDIR)/build/fuzz-XXXXXX) && trap 'rm -f '"$$binary" EXIT; cache=$$($(GO) env GOCACHE)/fuzz; pkg=$(PACKAGE); \
		$(GO) test -vet=off -c -ldflags '-s -w' -fuzz . -o $$binary $$pkg || exit 1; \
		for f in $$(grep -h '^func Fuzz' $$pkg/*_test.go | sed -E 's/func (Fuzz[A-Za-z0-9_]+).*/\1/'); do \
			if out=$$(cd $$pkg && $$binary -test.run '^$$' -test.fuzz "^$$f\$$" -test.fuzztime $(FUZZTIME) -test.parallel 1 \
				-test.fuzzminimizetime 10x -test.fuzzcachedir "$$cache/yinxin/$${pkg#./}" 2>&1); then \
				echo "ok	$$pkg $$f $$(echo "$$out" | grep -o 'execs: [0-9]*' | tail -n 1)"; \
			elif echo "$$out" | grep -q 'context deadline exceeded' && ! echo "$$out" | grep -qE 'Failing input|panic:'; then \
				echo "ok	$$pkg $$f (ended in the middle of an input)"; \
			else echo "$$out" | tail -n 40; exit 1; fi; done

fuzz-hour: ## every fuzz target for an hour: a day and more
	$(MAKE) fuzz FUZZTIME=1h

bench: build ## the figures, each beside its floor
	./build/yinxin bench

docs: ## write docs/errors.md anew from the code
	$(GO) test ./internal/fault -run Documented -update

# Each table stands in docs/pdf.md between a line that names it and an end line.
tables: ## write the tables of docs/pdf.md anew from what sealing and verifying do
	@rm -rf build/tables && mkdir -p build/tables
	YINXIN_TABLES=$(CURDIR)/build/tables $(GO) test -count=1 ./sealer ./sealer/verify -run 'EveryShape|AttacksAre|HonestAdditions'
	@awk '/^<!-- end -->/ { skip = 0 } !skip { print } \
		/^<!-- table / { file = "build/tables/" $$3 ".md"; while ((getline line < file) > 0) print line; skip = 1 }' docs/pdf.md > build/pdf.md
	@mv build/pdf.md docs/pdf.md

pictures: build ## make the README's pictures anew from the running demo, with Chromium
	rm -rf build/demo && ./build/yinxin demo --dir build/demo --no-serve
	pdftoppm -r 72 -f 3 -l 3 -png -singlefile build/demo/copy-sealed.pdf docs/pictures/sealed-page
	YINXIN_PICTURES=$(CURDIR)/docs/pictures YINXIN_PICTURES_DEMO=$(CURDIR)/build/demo $(GO) test ./internal/command -count=1 -run '^TestPictures$$'

openapi: ## write api/openapi.json anew from the code
	$(GO) test ./api -run OpenAPI -update

# SEEDS=tuning for work on the code: single forms of the held-out range are looked at by nobody. SHARE=0.1 takes a tenth.
imprint-table: ## measure imprints against drawn forms: the table, and build/imprint-table.json (a quarter of an hour of two cores)
	@mkdir -p build && $(GO) test -c -o build/imprint-table.test ./sealer/imprint/accuracy
	@SEEDS=$(SEEDS) SHARE=$(SHARE) ONLY="$(ONLY)" YINXIN_IMPRINT_TABLE=$(CURDIR)/build/imprint-table.json \
		build/imprint-table.test -test.run '^TestImprintTable$$' -test.timeout 12h

# The fonts of WAYUP_PACKAGES, unpacked into build/fonts; the demo's font is only measured.
wayup: ## fit sealer/imprint/wayup/weights.bin anew: which way up print stands
	@rm -rf build/fonts && mkdir -p build/fonts/deb && cd build/fonts/deb && apt-get download -qq $(WAYUP_PACKAGES) && \
		for deb in *.deb; do dpkg -x $$deb .; done && find . -name '*.tt[fc]' ! -name '*Mono*' ! -name 'DejaVu*Condensed*' ! -name 'DejaVuMath*' -exec cp -t .. {} +
	FONTS=$(CURDIR)/build/fonts HELD=gbsn $(GO) test ./sealer/imprint/wayup -count=1 -v -run '^TestFit$$' -timeout 1h

clean: ## remove what was built; the demo stays
	rm -rf build

# Packages are installed only where one is missing; without the right to install, one line says what to install.
define install
	@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] && exit 0; missing=$$(echo $$missing); \
	sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	command -v apt-get >/dev/null && { [ -z "$$sudo" ] || $$sudo true 2>/dev/null; } || { echo "please install: $$missing"; exit 1; }; \
	echo "installing $$missing"; \
	{ $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing; } >build-packages.log 2>&1 \
		|| { tail -n 5 build-packages.log; echo "please install: $$missing"; exit 1; }; rm -f build-packages.log
endef

run-packages: ## install what the demo needs, where it is missing
	$(call install,$(RUN_PACKAGES))

test-packages: ## install what the tests need, where it is missing
	$(call install,$(TEST_PACKAGES))
