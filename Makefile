# One command runs everything; each target builds .venv by itself from the pinned, hashed lock.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 3
PROVIDERS ?= segway
export TZ := UTC

.PHONY: help test test-all demo torture bench score reference contact-sheet screenshots lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

test: .venv/ready ## ruff, mypy, and the tests (sixteen minutes on two cores)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not torture and not long"

test-all: .venv/ready ## the long tests that `make test` leaves out: properties, kills, full disks
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m long

demo: .venv/ready ## a simulated fleet against a real collector, left in demo/; opens the report (not with OPEN=no)
	$(BIN)/voltrail demo --out demo --providers $(PROVIDERS) $(if $(filter no,$(OPEN)),--no-open)

torture: .venv/ready ## kill -9, full disks, odd bodies, ten thousand vehicles (half an hour)
	$(BIN)/pytest -q -s -m torture

bench: .venv/ready ## speeds and memory as ratios
	$(BIN)/python -m tests.benchmarks

score: .venv/score ## analyses against the truth of simulated fleets
	$(BIN)/python -m tests.score
	$(BIN)/python -m tests.score health

reference: .venv/ready ## write docs/reference/, docs/dashboards.md, pictures and Grafana's files from the code
	$(BIN)/python -m tests.reference
	$(BIN)/python -m tests.dashboards
	$(BIN)/voltrail dashboards build

contact-sheet: .venv/ready ## a picture of every panel, from the demo's data, in .cache/contact-sheet/ (three minutes)
	$(BIN)/python -m tests.dashboards.contact_sheet

screenshots: .venv/ready ## pictures of reports and the live page, from a demo, in .cache/screenshots/demo/ (needs Chromium)
	$(BIN)/python -m tests.dashboards.reports.screenshots

.venv/score: .venv/ready requirements-score.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-score.lock
	@touch $@

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "voltrail needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock: ## renew the lock files (needs uv; they hold names, versions and hashes, no address)
	uv pip compile pyproject.toml --group dev --group bench --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --group score --constraint requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-score.lock

clean: ## remove what was built and left behind
	rm -rf .venv .cache demo .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
