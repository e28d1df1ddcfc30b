# Everything a person or a machine does with a checkout. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# The address of another index for torch alone, for instance that of its CPU builds.
TORCH_INDEX ?=
DEMO_ARGS ?=
PYTEST_ARGS ?=
# How many processes run tests at once: `auto` is one for each processor, 0 none but pytest's own.
WORKERS ?= auto

# A file's tests share what is made once for it. Files come in the order of the folders, which
# begins with the long ones; by default those with few tests would come last, one worker alone.
SPREAD := --dist loadfile --no-loadscope-reorder

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install -qq
TORCH := torch==2.13.0
CODE := brand bot generation storage tests

say = @printf '· %s\n' "$(1)"

# A virtual environment names its own folder in many places, so a moved checkout makes a new one.
ifneq ($(shell cat $(VENV)/.made-in 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.made-in
endif

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: install
install: $(VENV)/.runtime ## make .venv and install Housestyle into it

.PHONY: demo
demo: $(VENV)/.runtime ## run the whole product here, with a local chat (DEMO_ARGS="--help" for more)
	@exec $(PY) -m bot demo $(DEMO_ARGS)

.PHONY: check
check: $(VENV)/.dev ## format, lint, types, import rules: the quick part
	$(call say,ruff format)
	@$(PY) -m ruff format --quiet --check $(CODE) || { $(PY) -m ruff format --check $(CODE); \
	  echo 'Fix it with: make format' >&2; exit 1; }
	$(call say,ruff check)
	@$(PY) -m ruff check --quiet $(CODE)
	$(call say,mypy --strict)
	@$(PY) -m mypy --no-error-summary
	$(call say,import rules)
	@$(VENV)/bin/lint-imports --no-logo >$(VENV)/.imports.log || { cat $(VENV)/.imports.log >&2; \
	  exit 1; }

.PHONY: test
test: check ## all checks and all tests that take seconds
	$(call say,pytest)
	@$(PY) -m pytest -q -n $(WORKERS) $(SPREAD) $(PYTEST_ARGS)

.PHONY: test-deep
test-deep: $(VENV)/.dev ## the long tests: fuzzing, chaos, big archives
	$(call say,pytest -m deep)
	@$(PY) -m pytest -q -m deep $(PYTEST_ARGS)

.PHONY: format
format: $(VENV)/.dev ## put the code into its format and fix what ruff can fix
	@$(PY) -m ruff check --quiet --fix-only $(CODE)
	@$(PY) -m ruff format --quiet $(CODE)

.PHONY: lock
lock: $(VENV)/.dev ## resolve the requirements anew (UPGRADE=1 takes the newest versions)
	$(call say,requirements.lock)
	@$(call compile,requirements.lock,--group build)
	$(call say,requirements-dev.lock)
	@$(call compile,requirements-dev.lock,--group dev --constraints requirements.lock)

# No address of any index, no path of this machine: only names, versions and hashes.
compile = $(PY) -m uv pip compile pyproject.toml $(2) $(if $(UPGRADE),--upgrade) \
  --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
  --no-emit-package torch --no-emit-index-url --no-annotate --quiet --output-file $(1) \
  --custom-compile-command 'make lock'

.PHONY: clean
clean: ## remove .venv and every tool's cache
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# ------------------------------------------------------------------------------ the environment

.PHONY: prerequisites
prerequisites:
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo 'Python 3.11 or newer is missing. On Debian: sudo apt install python3 python3-venv' >&2; \
	  exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$("$(PYTHON)" -V 2>&1). Install one" \
	    'and name it, for instance: sudo apt install python3.12 python3.12-venv;' \
	    'make PYTHON=python3.12 demo' >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'The venv module of Python is missing. On Debian: sudo apt install python3-venv' >&2; \
	  exit 1; }

$(VENV)/.made-in: | prerequisites
	$(call say,making $(VENV))
	@{ [ ! -e $@ ] && $(PY) -m pip --version >/dev/null 2>&1; } || \
	  "$(PYTHON)" -m venv --clear $(VENV)
	@printf '%s' "$(CURDIR)" >$@

$(VENV)/.torch: $(VENV)/.made-in
	$(call say,installing $(TORCH): the largest part)
	@$(PIP) $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)") $(TORCH)
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml $(VENV)/.torch
	$(call say,installing what requirements.lock names)
	@$(PIP) --no-deps --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(call say,installing what requirements-dev.lock names)
	@$(PIP) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@
