# Everything the project does, by name. Each target does its own set-up; a fresh machine needs only
# Python >= 3.11, Node >= 18 and make. `make PYTHON=python3.12 ...` chooses the interpreter.

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
RUN_READY := $(VENV)/.ready-to-run
READY := $(VENV)/.ready
LINT_READY := $(VENV)/.ready-to-lint
NODE_READY := node_modules/.ready
# Environments of their own; there is no Terraform for Linux on ARM on PyPI.
ASIDE := $(if $(filter Linux-aarch64,$(shell uname -s)-$(shell uname -m)),,.venv-terraform) .venv-openapi
# Of the tests of frameworks and of generated clients alone: more than 850 MB on disk.
EXAMPLES := $(addprefix miniprogram/examples/,uni-app taro components test) tests/end_to_end/clients

# Some shells and tools export a HOST of their own; of what is not said to make itself, only `lan` is taken.
HOST_SAID := $(if $(filter command,$(firstword $(origin HOST))),$(HOST),$(filter lan,$(HOST)))
HOST_OPTION := $(if $(HOST_SAID),--host '$(HOST_SAID)')

# Two ways to deploy: one request at a time in an instance, or many.
S_YAML := $(if $(BURST),deploy/burst/s.burst.yaml,s.yaml)

# The sentences of this file are in the language of the locale: `make help LANG=zh_CN` too.
IS_CHINESE := $(filter zh%,$(firstword $(LC_ALL) $(LC_MESSAGES) $(LANG)))
NEEDS_PYTHON := $(if $(IS_CHINESE),需要 Python 3.11 或更新的版本。请安装后用它运行：make PYTHON=python3.12；$(PYTHON) 是：,Python 3.11 or newer is needed: install one and run make PYTHON=python3.12; $(PYTHON) is:)
NEEDS_NODE := $(if $(IS_CHINESE),需要 Node 18 或更新的版本（https://nodejs.org），npm 也在里面；node 是：,Node 18 or newer is needed (https://nodejs.org) and brings npm; node is:)

.DEFAULT_GOAL := help
.PHONY: help setup init run demo test test-function lint pins package template check-deploy deploy rollback clean

help: ## this list ## 这份列表
	@awk -F ' ## ' '/^[a-z-]+:.* ## / {sub(":.*", "", $$1); printf "  make %-14s %s\n", $$1, $$$(if $(IS_CHINESE),3,2)}' $(MAKEFILE_LIST)

# What `make demo` and `make run` need is small; the rest comes on top of it when it is needed.
$(RUN_READY): requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "$(NEEDS_PYTHON) $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	@$(PYTHON) -m ops.run.install $(VENV) requirements/run.txt --fresh
	@touch $@

$(READY): $(RUN_READY) requirements/dev.txt
	@$(PYTHON) -m ops.run.install $(VENV) requirements/dev.txt
	@touch $@

# 45 MB that only lint and pins need.
$(LINT_READY): $(READY) requirements/lint.txt
	@$(PYTHON) -m ops.run.install $(VENV) requirements/lint.txt
	@touch $@

.venv-%/.ready: requirements/%.txt
	@$(PYTHON) -m ops.run.install .venv-$* requirements/$*.txt --fresh
	@touch $@

$(NODE_READY): package.json package-lock.json
	@node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)' 2>/dev/null || { echo "$(NEEDS_NODE) $$(node --version 2>&1)" >&2; exit 1; }
	@$(PYTHON) -m ops.run.install node
	@touch $@

%/node_modules/.ready: %/package-lock.json
	@$(PYTHON) -m ops.run.install node $*
	@touch $@

setup: $(READY) ## the virtual environment with every pinned package ## 准备虚拟环境，装好全部锁定的包

init: $(RUN_READY) ## write .env and profiles.toml by asking ## 按提问填写，生成 .env 和 profiles.toml
	@$(PY) manage.py init

run: $(RUN_READY) ## the local cloud with your own files, until you end it (HOST=lan: phones may come; DEMO=1: the samples) ## 用你自己的文件运行本地云，直到你结束它（HOST=lan：手机也能连；DEMO=1：用示例）
	@$(PY) manage.py serve $(if $(DEMO),--demo) $(HOST_OPTION)

demo: $(RUN_READY) ## uploads through the local cloud, step by step, then exit ## 在本地云上一步一步演示上传，然后结束
	@$(PY) manage.py demo

test: $(READY) $(NODE_READY) ## the function with every branch, the local cloud, the commands, the client (ORDER=random: shuffled, SEED=7: as then) ## 函数（每个分支）、本地云、命令、客户端的测试（ORDER=random：随机顺序，SEED=7：重复那个顺序）
	@$(PY) -m quality.suite test $(addprefix --order ,$(or $(SEED),$(ORDER)))

test-function: $(READY) ## the function's tests alone, as on Python 3.12 in CI ## 只测函数，CI 在 Python 3.12 上就这样测
	@$(PY) -m quality.suite function

lint: $(LINT_READY) $(NODE_READY) ## ruff, mypy --strict, tsc on the client ## ruff、mypy --strict，以及对客户端的 tsc
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@npm run --silent lint

# Each file of pins, with its group in pyproject.toml and the file whose versions it keeps.
R := requirements
PINNED := $(R):function $(R)/burst:burst:$(R) $(R)/redis:redis:$(R) $(R)/run:run:$(R) $(R)/dev:dev:$(R)/run \
    $(addprefix $(R)/,lint:lint:$(R)/dev openapi:openapi:$(R)/dev terraform:terraform:$(R)/dev) \
    $(addsuffix :bench:$(R),$(basename $(wildcard quality/bench/requirements-bench.txt)))

# uv keeps what an output file has: the versions, which are left to it, and the hashes, which may be those of one
# machine's archives alone. Another version: make pins PINS="--upgrade-package NAME"
pins: $(LINT_READY) ## write requirements.txt and requirements/*.txt anew from pyproject.toml, with the hash of every archive ## 根据 pyproject.toml 重写 requirements.txt 和 requirements/*.txt，带每个包的哈希
	@for each in $(PINNED); do IFS=: && set -- $$each && unset IFS && \
	  sed '/^ *--hash=/d; s/ \\$$//' $$1.txt >$$1.new && \
	  UV_CUSTOM_COMPILE_COMMAND="make pins" $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-annotate $(PINS) --group $$2 $${3:+--constraints $$3.txt} -o $$1.new && \
	  mv $$1.new $$1.txt || exit 1; done
	@mkdir -p build
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-deps --format pylock.toml \
	  requirements/run.txt requirements/burst.txt requirements/redis.txt -o build/pylock.toml
	@$(PY) -m ops.package.pins build/pylock.toml >requirements/archives.txt

package: $(READY) ## the deployable folders build/function and build/function-burst ## 可部署的目录 build/function 与 build/function-burst
	@$(PY) manage.py package

template: $(READY) ## build/template.zip, from which `s init` makes a new project ## build/template.zip，`s init` 用它新建项目
	@$(PY) manage.py template

check-deploy: $(READY) ## a strict offline check of s.yaml and .env (BURST=1: of s.burst.yaml) ## 离线严格检查 s.yaml 和 .env（BURST=1：检查 s.burst.yaml）
	@$(PY) manage.py check-deploy $(S_YAML)

# The tool is installed when the check has found nothing to mend.
deploy: $(READY) ## check, verify, deploy, make it live (BURST=1: many requests an instance; CANARY=10: for 10 % of requests; ANYWAY=1: although something live would be lost) ## 检查、核对、部署并上线（BURST=1：一个实例同时处理多个请求；CANARY=10：先给 10% 的请求；ANYWAY=1：线上会丢失东西也照样继续）
	@$(PY) manage.py check-deploy --for-deploy $(S_YAML)
	@$(PY) -m ops.account.before_deploy $(if $(ANYWAY),--anyway)
	@$(MAKE) --silent --no-print-directory $(NODE_READY)
	@$(PY) manage.py deploy $(S_YAML) $(if $(CANARY),--canary='$(CANARY)') $(if $(ANYWAY),--anyway)

rollback: $(READY) $(NODE_READY) ## end a canary, or back to the version that was live before (BURST=1; VERSION=7: that one; LIST=1: show them) ## 结束灰度，或回退到之前上线的版本（BURST=1；VERSION=7：指定版本；LIST=1：列出版本）
	@$(PY) manage.py rollback $(S_YAML) $(if $(VERSION),--version='$(VERSION)') $(if $(LIST),--list)

# Targets that a project by `s init` has no files for.
-include quality/targets.mk

clean: ## forget what was built ## 删掉生成的东西
	rm -rf $(VENV) $(ASIDE) node_modules build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
	rm -rf $(addsuffix /node_modules,$(EXAMPLES)) miniprogram/examples/*/dist
