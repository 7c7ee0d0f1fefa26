# Two words do everything: `make run` starts the service, `make test` runs the tests. Both set up what they need.
PYTHON ?= python3
# Whoever names a PYTHON gets that one; else it may be the system's, when that is a faster build of the same version.
EXACTLY := $(if $(filter file,$(origin PYTHON)),,--exactly)
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
# Nobody else does it for an editable installation where PYTHONDONTWRITEBYTECODE is set, and each start then takes twice as long.
COMPILE := $(BIN)/python -m compileall -q src/mossaic
.DEFAULT_GOAL := help
.PHONY: help run setup test check contract e2e browser crash security faults bench bench-clients bench-page docs clean

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.server: pyproject.toml
	@$(PYTHON) scripts/make_venv.py $(VENV) server $(EXACTLY)
$(VENV)/.dev: pyproject.toml
	@$(PYTHON) scripts/make_venv.py $(VENV) dev $(EXACTLY)

run: $(VENV)/.server ## set up and start the service with a demo bucket
	@$(COMPILE)
	@$(BIN)/mossaic serve --demo

setup: $(VENV)/.dev ## install what tests and checks need
	@scripts/setup-tests.sh
	@$(COMPILE)

test: setup ## set up and run all tests
	@$(BIN)/python -m pytest tests -q -n 2 --dist loadgroup

check: $(VENV)/.dev ## format, lint, types, floors, house rules
	@$(BIN)/ruff format --check src tests bench scripts
	@$(BIN)/ruff check src tests bench scripts
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/house -q

contract: $(VENV)/.dev ## the laws of the two ports
	@$(BIN)/python -m pytest tests/contract -q

e2e: setup ## official clients against a running service
	@$(BIN)/python -m pytest tests/e2e -q

browser: setup ## ali-oss and the seed's pages in Chromium
	@$(BIN)/python -m pytest tests/browser -q

crash: $(VENV)/.dev ## kill -9, races, full disks
	@$(BIN)/python -m pytest tests/crash -q

faults: $(VENV)/.dev ## the SDK behind a proxy that breaks things
	@$(BIN)/python -m pytest tests/faults -q

security: $(VENV)/.dev ## attacks on a running service, one file a class
	@$(BIN)/python -m pytest tests/security -q

bench: $(VENV)/.server ## ratios to this machine's own limits, measured in the same run
	@$(COMPILE)
	@$(BIN)/python -m bench

$(BENCH)/.ready: pyproject.toml bench/clients/requirements.txt
	@$(PYTHON) -m venv $(BENCH) && $(BENCH)/bin/pip install -q --disable-pip-version-check -e . -r bench/clients/requirements.txt && touch $@

bench-clients: setup $(BENCH)/.ready ## the SDK beside its peers on a sink that does nothing
	@$(BENCH)/bin/python -m bench.clients

bench-page: setup ## the page's upload engine beside ali-oss and uppy in Chromium, on the same sink
	@$(BIN)/python -m bench.page

docs: $(VENV)/.dev ## write the generated pages again
	@$(BIN)/python scripts/generate_docs.py

clean: ## remove what set-up and tests made
	rm -rf $(VENV) $(BENCH) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist tests/e2e/node/node_modules tests/browser/node/node_modules
