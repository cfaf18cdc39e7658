# make help says what there is.

GO ?= go
export CGO_ENABLED = 0
# Nothing but the modules of go.mod is ever used.
export GOFLAGS = -mod=readonly
TOOL = $(GO) tool -modfile=tools/go.mod
PKGS = ./...

.DEFAULT_GOAL := help
.PHONY: help build install uninstall deb release demo test need check compat unit lint vet format soak acceptance bench fuzz man deps cover clean

PREFIX ?= /usr/local

help: ## say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

build: ## build ./warren, static
	$(GO) build -trimpath -ldflags='-s -w' -o warren ./cmd/warren
	@tools/settle warren

install: build ## install the program, manual pages, completions, documentation (PREFIX=/usr/local, DESTDIR=)
	@WARREN=./warren tools/install ./warren "$(DESTDIR)" "$(PREFIX)"

uninstall: ## remove what install has put there
	rm -rf "$(DESTDIR)$(PREFIX)/share/doc/warren"
	rm -f "$(DESTDIR)$(PREFIX)/bin/warren" "$(DESTDIR)$(PREFIX)"/share/man/man1/warren.1 "$(DESTDIR)$(PREFIX)"/share/man/man[17]/warren-*.[17] \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/warren" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_warren" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/warren.fish"

deb: ## a Debian package for this machine's architecture, in dist/
	@tools/deb

release: ## static binaries and Debian packages for amd64 and arm64, byte for byte reproducible, in dist/
	@tools/release

demo: ## the classic lab in a world of its own: up, checks, graph, down
	@GO="$(GO)" tools/demo

test: need check compat ## install what the tests need, then everything that continuous integration runs

need: ## install what the tests need (Debian packages)
	@tools/need nft:nftables iptables:iptables ip:iproute2 python3:python3 unshare:util-linux setpriv:util-linux ping:iputils-ping curl:curl pasta:passt slirp4netns:slirp4netns \
		dockerd:docker.io podman:podman containerd:containerd ctr:containerd runc:runc busybox:busybox-static lxc-execute:lxc bwrap:bubblewrap \
		/usr/lib/cni/bridge:containernetworking-plugins /usr/lib/podman/netavark:netavark /usr/lib/podman/aardvark-dns:aardvark-dns

check: build vet unit lint ## everything but the installing

unit: ## pure, kernel and script tests
	$(GO) test -count=1 -timeout=40m $(PKGS)

compat: ## iproute2's own tests with warren as ip, when their source can be had
	@GO="$(GO)" tools/acceptance/run iproute2 --lenient

vet:
	$(GO) vet $(PKGS)

lint: ## formatting, modernisers and linters
	@tools/lint/run

format: ## write the formatting that lint wants
	$(TOOL) gofumpt -w $$(git ls-files '*.go')

soak: ## the tests that kill and race, many times over
	$(GO) test -count=20 -timeout=2h -run 'Kill|Parallel|Concurrent|Random' $(PKGS)
	WARREN_SEQUENCES=$${WARREN_SEQUENCES:-20000} WARREN_SEQUENCE=2000 $(GO) test -count=1 -timeout=2h -run TestDifferential ./internal/iproute
	WARREN_REACH_WORLDS=$${WARREN_REACH_WORLDS:-20000} WARREN_REACH_SEED=$${WARREN_REACH_SEED:-1} $(GO) test -count=1 -timeout=12h -run TestDifferential ./internal/reachtest

acceptance: need ## tests that others wrote for iproute2, its own and the kernel's, with ip and with warren as ip (ONLY=PATTERN)
	@GO="$(GO)" tools/acceptance/run $(if $(ONLY),--only $(ONLY))

bench: ## measure against the bare system calls and against ip (see bench/README.md)
	$(GO) run ./bench $(BENCH)

fuzz: ## every fuzz target for ten seconds
	@tools/fuzz 10s

man: ## write docs/man and docs/reference from the help texts
	$(GO) run ./docs/gen docs/man docs/reference

deps: ## write docs/deps.txt, the packages that are linked into the binary
	$(GO) test ./docs -run TestDependencies -update

cover: ## test coverage, in cover.out
	$(GO) test -count=1 -coverpkg=./... -coverprofile=cover.out $(PKGS)
	$(GO) tool cover -func=cover.out | tail -1

clean: ## remove what was built
	rm -rf warren dist cover.out bench/floor
