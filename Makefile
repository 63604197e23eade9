# Everything the project does, by name. Each target does its own set-up; a fresh machine needs only
# Python >= 3.11, Node >= 18 and make. `make PYTHON=python3.12 ...` chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@echo "setting up $(VENV) (once, about half a minute) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.txt
	@touch $@

setup: $(READY) ## the virtual environment with every pinned package

run: $(READY) ## the local cloud, one upload through it, then stay up
	@$(PY) manage.py serve --demo

demo: $(READY) ## one upload through the local cloud, step by step, then exit
	@$(PY) manage.py demo

test: $(READY) ## every test
	@$(PY) -m pytest -q

lint: $(READY) ## ruff, mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

clean: ## forget what was built
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
