# Terrella: every target does its own set-up.
PY := .venv/bin/python
STAMP := .venv/.ready
CLIENTS := .venv-clients/.ready
TERRELLA_TEST_DATA ?= ../shared/data
export TERRELLA_TEST_DATA

.PHONY: help setup run test check portal soak bench docs pins clean

help:            ## what there is
	@grep -E '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

setup: $(STAMP)  ## environment in .venv with pinned dependencies

$(STAMP): pyproject.toml constraints.txt scripts/setup
	@scripts/setup
	@touch $(STAMP)

$(CLIENTS): tests/clients/requirements.txt scripts/setup | $(STAMP)
	@scripts/setup clients
	@touch $(CLIENTS)

run: $(STAMP)    ## add the demo data and serve on http://127.0.0.1:8700
	@.venv/bin/terrella up --demo --home "$${TERRELLA_HOME:-.terrella}"

test: $(STAMP) $(CLIENTS)  ## all tests
	@$(PY) -m pytest -n auto --dist loadgroup

check: $(STAMP)  ## format, lint, types, import rules
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy && .venv/bin/lint-imports --no-cache
	@if [ -d portal/node_modules ]; then npm --prefix portal run --silent check && npm --prefix portal run --silent test; \
	else echo "The sources of the portal are not checked: there is no portal/node_modules (make portal, which needs Node)."; fi

portal:          ## build the portal into src/terrella/portal (needs Node; what is built is committed)
	@npm --prefix portal ci --silent && npm --prefix portal run --silent build

soak: $(STAMP)   ## 200 rounds of kill -9
	@$(PY) tests/soak/kills.py --rounds 200

bench: $(STAMP)  ## speed, as ratios to peers in one run
	@scripts/setup bench && $(PY) -m benchmarks

docs: $(STAMP)   ## build the site into site/
	@scripts/setup docs && .venv/bin/mkdocs build --strict

pins:            ## renew constraints.txt
	@$(PY) -m uv pip compile -q --upgrade --universal --no-header --python-version 3.12 --all-extras --group dev pyproject.toml -o constraints.txt
	@$(PY) -m uv pip compile -q --upgrade --universal --no-header --python-version 3.12 tests/clients/requirements.in -o tests/clients/requirements.txt

clean:           ## remove what set-up and builds made (not your data)
	rm -rf .venv .venv-clients build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
