# Everything goes through here, on a developer's machine and in CI alike. `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK ?= requirements/lock.txt
# Test processes; many tests wait for servers, so three keep two cores busy.
JOBS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast proof lint format types bench quality docs lock clean

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml requirements/installer.txt $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "adology needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) -V 2>&1). Set PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --require-hashes -r $(LOCK)
	VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(READY)  ## Make the virtual environment from the locked versions

demo: $(READY)  ## Collect three brands on this machine, from start to end
	$(BIN)/python -m demo

test: $(READY)  ## Run all tests
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not slow" tests

test-fast: $(READY)  ## Run the tests that need no servers
	$(BIN)/python -m pytest -q -m "not stack and not slow" tests

proof: $(READY)  ## Run the long proofs that CI runs in short: kills, soaks
	$(BIN)/python -m pytest -s -m slow tests
	ADOLOGY_TEST_SCHEDULES=4000 $(BIN)/python -m pytest -q tests/simulation
	ADOLOGY_TEST_URLS=10000 $(BIN)/python -m pytest -q tests/system/test_bad_input_size.py

lint: $(READY)  ## Check style, formatting and declared dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/deptry core registry server plugins

format: $(READY)  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY)  ## Check types
	$(BIN)/mypy

quality: $(READY)  ## Measure the local analyzers on labelled data
	$(BIN)/python -m tests.quality

docs: $(READY)  ## Write the generated pages of docs/ anew
	$(BIN)/python -m adology.settings.docs > docs/configuration.md
	$(BIN)/python -m adology.cli.docs > docs/cli.md

bench:  ## Measure throughput and memory beside peers, in an environment of its own
	$(MAKE) --no-print-directory setup VENV=$(VENV)-bench LOCK=requirements/bench.txt
	@if command -v npm >/dev/null; then mkdir -p .build/bench-node && cp tests/bench/node/package*.json .build/bench-node \
	  && npm ci --silent --prefix .build/bench-node; else echo "npm is not installed: nothing of Node is measured"; fi
	$(VENV)-bench/bin/python -m tests.bench

lock: $(READY)  ## Resolve the dependencies anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra embedded --extra local --extra parquet --extra dev -o requirements/lock.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --extra embedded --extra local --extra parquet --extra dev --extra bench -o requirements/bench.txt pyproject.toml

clean:  ## Remove what was built; data in .adology stays
	rm -rf $(VENV) $(VENV)-bench .build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
