# Everything the project does, by name. Each target does its own set-up; a fresh machine needs only
# Python >= 3.11, Node >= 18 and make. `make PYTHON=python3.12 ...` chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
RUN_READY := $(VENV)/.ready-to-run
READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
TERRAFORM := .venv-terraform
EXAMPLES_READY := $(patsubst %,miniprogram/examples/%/node_modules/.ready,uni-app taro components test)

# Some shells and tools export a HOST of their own; of what is not said to make itself, only `lan` is taken.
HOST_SAID := $(if $(filter command,$(firstword $(origin HOST))),$(HOST),$(filter lan,$(HOST)))
HOST_OPTION := $(if $(HOST_SAID),--host '$(HOST_SAID)')

# Two ways to deploy: one request at a time in an instance, or many.
S_YAML := $(if $(BURST),deploy/burst/s.burst.yaml,s.yaml)

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-python test-node test-terraform lint pins package template check-deploy deploy bench house torture clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What `make demo` and `make run` need is small; the rest comes on top of it when it is needed.
$(RUN_READY): requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; $(PYTHON) is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@$(PYTHON) -m ops.run.install $(VENV) requirements/run.txt --fresh
	@touch $@

$(READY): $(RUN_READY) requirements/dev.txt
	@$(PYTHON) -m ops.run.install $(VENV) requirements/dev.txt
	@touch $@

$(NODE_READY): package.json package-lock.json
	@node -e 'if (Number(process.versions.node.split(".")[0]) < 18) { console.error("Node 18 or newer is needed; this is " + process.version); process.exit(1) }'
	@$(PYTHON) -m ops.run.install node
	@touch $@

# The frameworks and the mini-program tools are 850 MB, and nobody but the examples' own tests needs them.
miniprogram/examples/%/node_modules/.ready: miniprogram/examples/%/package-lock.json
	@$(PYTHON) -m ops.run.install node miniprogram/examples/$*
	@touch $@

setup: $(READY) ## the virtual environment with every pinned package

run: $(RUN_READY) ## the local cloud: the demo, then it stays up (HOST=lan: phones may come)
	@$(PY) manage.py serve --demo $(HOST_OPTION)

demo: $(RUN_READY) ## uploads through the local cloud, step by step, then exit
	@$(PY) manage.py demo $(HOST_OPTION)

test: test-python test-node test-terraform ## every test: Python, Node, Terraform

test-python: $(READY)
	@$(PY) -m coverage run -m pytest -q
	@$(PY) -m coverage report

test-node: $(READY) $(NODE_READY) $(EXAMPLES_READY)
	@PYTHON=$(abspath $(PY)) node --test tests/local/sts/*.test.js tests/ops/deploy/*.test.js
	@PYTHON=$(abspath $(PY)) npm test --silent
	@PYTHON=$(abspath $(PY)) npm run --silent test:examples

# 170 MB of its own, which nobody else needs; there is none for Linux on ARM.
ifneq ($(shell uname -s)-$(shell uname -m),Linux-aarch64)
test-terraform: $(READY) $(TERRAFORM)/.ready
	@PYTHON=$(abspath $(PY)) $(TERRAFORM)/bin/python -m pytest -q --noconftest tests/deploy/real/real_terraform.py

$(TERRAFORM)/.ready: requirements/terraform.txt
	@$(PYTHON) -m ops.run.install $(TERRAFORM) requirements/terraform.txt --fresh
	@touch $@
else
test-terraform:
	@echo "no Terraform for this machine on PyPI: deploy/terraform is NOT VALIDATED here"
endif

lint: $(READY) $(NODE_READY) ## ruff, mypy --strict, tsc on the client
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@npm run --silent lint

# uv keeps the versions that are pinned already; another one: make pins PINS="--upgrade-package NAME"
pins: $(READY) ## write requirements.txt and requirements/*.txt anew from the *.in, with the hash of every archive
	@for name in requirements requirements/burst requirements/redis requirements/run requirements/dev requirements/terraform \
	    quality/bench/requirements-bench; do \
	  UV_CUSTOM_COMPILE_COMMAND="make pins" $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-annotate $(PINS) $$name.in -o $$name.txt || exit 1; done

package: $(READY) ## the deployable folders build/function and build/function-burst
	@$(PY) manage.py package

template: $(READY) ## build/template.zip, from which `s init` makes a new project
	@$(PY) manage.py template

check-deploy: $(READY) ## a strict offline check of s.yaml and .env (BURST=1: of s.burst.yaml)
	@$(PY) manage.py check-deploy $(S_YAML)

# The tool is installed when the check has found nothing to mend.
deploy: $(READY) ## check, verify, then deploy to the cloud (BURST=1: many requests an instance)
	@$(PY) manage.py check-deploy --for-deploy $(S_YAML)
	@$(MAKE) --no-print-directory $(NODE_READY)
	@$(PY) manage.py deploy $(S_YAML)

bench: $(READY) $(NODE_READY) ## the benchmarks beside their peers
	@$(PY) -m quality.bench

house: $(READY) ## structure metrics, each with its limit; with OVER=1 those over it
	@$(PY) -m quality.house $(if $(OVER),--over)

torture: $(READY) ## faults, fuzzing, soak and mutation: minutes long
	@$(PY) -m quality.torture

clean: ## forget what was built
	rm -rf $(VENV) $(TERRAFORM) node_modules build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	rm -rf miniprogram/examples/*/node_modules miniprogram/examples/*/dist
