# `make chat` and `make test`; `make help` lists the others. All is installed in .venv, pinned.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
TORCH := $(shell sed -n 's/^torch==//p' requirements-dev.lock)
# An index of CPU builds of torch, where the default one has none, for example
# https://download.pytorch.org/whl/cpu (without it pip may take a build with CUDA).
TORCH_INDEX_URL ?=
TORCH_INDEX := $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL),)

# Of tests: one more than there are cores, for some wait; four at most.
PROCESSES = $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')

# A file in one process, those of a browser in one, in the order of tests/conftest.py.
BY_FILE := --dist loadgroup --no-loadscope-reorder

.PHONY: help chat test quick install install-dev lint types unit lock locale bench golden clean
.DEFAULT_GOAL := chat

help:  ## what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

# Folders or files of your own, in the place of corpus/: make chat ARTICLES=presse
ARTICLES ?=

chat: install  ## index corpus/ if the index is empty, or ARTICLES, then serve the chat
	@$(BIN)/python ingest.py $(if $(ARTICLES),$(ARTICLES),--if-empty)
	@$(BIN)/python app.py

test: install-dev lint types unit  ## lint, types, tests

quick: install-dev lint types  ## lint, types, and the tests that take moments
	$(BIN)/python -m pytest -q -n $(PROCESSES) $(BY_FILE) -m "not (slow or server or browser or models)"

install: $(VENV)/installed  ## what answering needs
install-dev: $(VENV)/installed-dev  ## what tests and measures need too

$(VENV)/installed: requirements.lock pyproject.toml models/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Recoupe demande Python 3.11 ou plus récent : make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -q --no-deps -r requirements.lock
	$(PIP) install -q --no-deps --editable ./models --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	@# The CPU build of torch where pip offers it, else the default build. Of 20,000 modules that
	@# tests bring they use a few: those are compiled as they are imported.
	$(PIP) install -q --no-compile $(TORCH_INDEX) "torch==$(TORCH)+cpu" 2>/dev/null || $(PIP) install -q --no-compile -c requirements-dev.lock "torch==$(TORCH)"
	$(PIP) install -q --no-compile --no-deps -r requirements-dev.lock
	touch $@

lint:  ## ruff, and that imports go down only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types:  ## mypy, strict
	$(BIN)/mypy

unit:  ## all tests: a process a core and one, each test file in one of them
	$(BIN)/python -m pytest -n $(PROCESSES) $(BY_FILE)

lock: install-dev  ## pin what pyproject.toml allows today (needs pip-tools)
	$(PIP) install -q pip-tools
	$(PIP) wheel -q --no-deps --wheel-dir models/dist ./models
	$(BIN)/pip-compile -q --upgrade --no-emit-index-url --no-emit-find-links --find-links models/dist --unsafe-package recoupe-models --strip-extras --no-annotate --no-header --extra files --extra mcp -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --no-emit-index-url --no-emit-find-links --find-links models/dist --unsafe-package recoupe-models --strip-extras --no-annotate --no-header --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+.*/\1/' requirements.lock requirements-dev.lock

locale:  ## compile the French of the command line
	$(BIN)/pybabel compile -i rag/cli/locale/fr/LC_MESSAGES/messages.po -o rag/cli/locale/fr/LC_MESSAGES/messages.mo

golden: install-dev  ## measure answers on the golden questions
	$(BIN)/python ingest.py --if-empty
	$(BIN)/recoupe eval answers tests/golden/questions.jsonl

# Folders: RECOUPE_BENCH_PRESS of press, RECOUPE_BENCH_MODEL of the shipped model in torch.
RECOUPE_BENCH_PEERS ?= .bench-peers
bench: install-dev  ## measure speed and growth beside other pipelines; BENCH="--sizes 1000"
	$(BIN)/python -m bench.peers $(RECOUPE_BENCH_PEERS)
	RECOUPE_BENCH_PEERS=$(RECOUPE_BENCH_PEERS) $(BIN)/python -m bench.scale $(BENCH)
	$(BIN)/python -m bench.capacity bench/results/scale.json docs/capacity.md

clean:  ## take away what was installed and made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
