# Targets of the Makefile that need the whole repository.
.PHONY: test-fast test-all bench house torture

test-fast: $(READY) ## the function's tests while you work (ROOM=holding, CHANGED=main: only these)
	@$(PY) -m quality.suite fast $(addprefix --room ,$(ROOM)) $(addprefix --changed ,$(CHANGED))

test-all: test $(addsuffix /node_modules/.ready,$(EXAMPLES)) $(addsuffix /.ready,$(ASIDE)) ## and frameworks, browser, packages, Terraform
	@$(PY) -m quality.suite rest

bench: $(READY) $(NODE_READY) ## the benchmarks beside their peers
	@$(PY) -m quality.bench

house: $(READY) ## structure metrics, each with its limit; with OVER=1 those over it
	@$(PY) -m quality.house $(if $(OVER),--over)

torture: $(READY) ## faults, fuzzing, soak, mutation (MINUTES=10: what changed last, for so long)
	@$(PY) -m quality.torture $(addprefix --minutes ,$(MINUTES))
