# Targets of the Makefile that need the whole repository.
.PHONY: test-fast test-all ready-for-all bench house attacks explore torture

# Where a shell forbids to keep bytecode, each process of the tests would compile all that it imports.
test test-function test-fast test-all: export PYTHONDONTWRITEBYTECODE :=

test-fast: $(READY) ## the function's tests while you work, without the long ones (ROOM=holding, CHANGED=main: all of these) ## 写代码时只跑函数的测试，不含耗时长的（ROOM=holding、CHANGED=main：只跑这些，全部跑完）
	@$(PY) -m quality.suite fast $(addprefix --room ,$(ROOM)) $(addprefix --changed ,$(CHANGED))

test-all: $(READY) $(NODE_READY) ## make test and lint, and frameworks, browser, packages, Terraform (ALSO=.venv-3.12: the function there too) ## make test 和 lint，再加上框架、浏览器、打包、Terraform 的测试（ALSO=.venv-3.12：函数也在那里测）
	@$(PY) -m quality.suite all $(addprefix --also ,$(ALSO)) $(addprefix --order ,$(or $(SEED),$(ORDER)))

# The suite installs these beside its first tests.
ready-for-all: $(addsuffix /node_modules/.ready,$(EXAMPLES)) $(addsuffix /.ready,$(ASIDE))

bench: $(READY) $(NODE_READY) ## the benchmarks beside their peers ## 性能测试，与同类比较
	@$(PY) -m quality.bench

house: $(READY) ## structure metrics, each with its limit; with OVER=1 those over it ## 代码结构的指标和上限；OVER=1 只列超出的
	@$(PY) -m quality.house $(if $(OVER),--over)

attacks: $(READY) ## the attacks that are refused, with their tests ## 会被拒绝的攻击，以及证明它们的测试
	@$(PY) -m quality.attacks

explore: $(READY) ## every order of the calls of a few actors (PROVE=1: without lines that protect something) ## 几个参与者的调用的所有次序（PROVE=1：去掉起保护作用的代码行再试）
	@$(PY) -m quality.explore $(if $(PROVE),--prove)

torture: $(READY) ## faults, fuzzing, mutation (MINUTES=10: what changed last, for so long) ## 故障、模糊、变异测试（MINUTES=10：只测最近改动，限时）
	@$(PY) -m quality.torture $(addprefix --minutes ,$(MINUTES))
