# Two commands are enough on a fresh machine: `make demo` and `make test`. Python 3.11 or newer is all
# they ask for; .venv and, on Debian and Ubuntu as root, the system packages come by themselves.

PYTHON3 ?= python3
VENV    := .venv
PYTHON  := $(VENV)/bin/python
# Two cores are the machine the suite is made for; more than four gain nothing.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$n)
PYTEST  := $(PYTHON) -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test check style types imports pages bench bench-full bench-peers format docs clean

help:  ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/stamp  ## register, gateway and the demo page on http://127.0.0.1:7080
	@exec $(PYTHON) -P -m gateway dev

test: $(VENV)/stamp  ## every test, with real processes and a real browser
	@sh scripts/system_packages.sh browser nginx openssl php
	@# exit 5 is "no test is marked serial"
	$(PYTEST) -m serial || [ $$? -eq 5 ]
	@# by file, so that a browser, a cluster or a wheel is made once for the tests that share it
	$(PYTEST) -n $(WORKERS) --dist loadfile -m "not serial"

check: style types imports pages  ## format, lint, types, import contracts, docs; `make -k` tells all

style: $(VENV)/stamp
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(VENV)/stamp
	$(VENV)/bin/mypy

imports: $(VENV)/stamp
	$(VENV)/bin/lint-imports --no-logo

pages: $(VENV)/stamp
	$(PYTHON) -m scripts.docs --check
	$(PYTHON) -m scripts.layout

bench: $(VENV)/stamp  ## what the gateway costs beside a C loop, in two and a half minutes
	@sh scripts/system_packages.sh compiler
	$(PYTHON) -m bench --json build/bench/short.json

bench-full: $(VENV)/stamp  ## everything that can be measured, with plots: twenty minutes
	@sh scripts/system_packages.sh compiler
	$(PYTHON) -m pip install --quiet --group plots
	$(PYTHON) -m bench --full --json build/bench/full.json
	$(PYTHON) -m bench.plot build/bench/full.json

# Peers that cannot be had are told in the table; the run goes on without them.
bench-peers: $(VENV)/stamp  ## other gateways and libraries beside ours, in seven minutes
	@sh scripts/system_packages.sh compiler
	@for need in npm nchan; do sh scripts/system_packages.sh $$need || true; done
	$(PYTHON) -m bench.peers

format: $(VENV)/stamp  ## let ruff format and mend what it can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(VENV)/stamp  ## write the generated parts of docs/ anew
	$(PYTHON) -m scripts.docs

clean:  ## forget .venv and everything built
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(VENV)/stamp: pyproject.toml scripts/virtualenv.sh scripts/system_packages.sh
	@PYTHON3="$(PYTHON3)" sh scripts/virtualenv.sh $(VENV)
	@touch $@
