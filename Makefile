# Two commands matter: `make live` and `make test`. The rest is for people who change the code.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
LIVEPITCH_SHARED ?= $(if $(wildcard ../shared/data),$(abspath ../shared),)
export LIVEPITCH_SHARED

.PHONY: help setup live test lint types imports fmt check bench sheets clean

help:  ## what can be asked of make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Livepitch needs Python 3.11-3.13; this is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV) || { echo "No venv module here: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing Livepitch into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@$(BIN)/python -m avatar_engine warm-up
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "Installing the test extra into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

setup: $(VENV)/.installed  ## create .venv, install, compile and cache the kernels

live: $(VENV)/.installed  ## a live avatar of examples/face.png (options: ARGS="--port 9000")
	@$(BIN)/python -m sdk.live --persona examples/face.png --catalogue examples/catalogue.csv $(ARGS)

test: $(VENV)/.tested lint types imports  ## the whole suite, as CI runs it
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(VENV)/.tested  ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(VENV)/.tested  ## mypy, strict
	@$(BIN)/mypy

imports: $(VENV)/.tested  ## the import law
	@$(BIN)/lint-imports --no-cache

fmt: $(VENV)/.tested  ## format and fix
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

check: test  ## what CI runs

bench: $(VENV)/.tested  ## measure; writes benchmarks/results/*.json
	@for b in benchmarks/bench_*.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

sheets: $(VENV)/.installed  ## contact sheets of every person in a folder (PHOTOS=DIR SHEETS=DIR)
	@$(BIN)/python scripts/sheets.py "$(or $(PHOTOS),$(LIVEPITCH_SHARED)/data/portraits/dev)" "$(or $(SHEETS),sheets)"

clean:  ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
