# One command runs everything; each target builds .venv by itself from the pinned, hashed lock.
PYTHON ?= python3
BIN := .venv/bin
export TZ := UTC

.PHONY: test demo check torture bench score lock clean

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -m "not torture"

demo: .venv/ready
	$(BIN)/voltrail demo --out demo --no-open

torture: .venv/ready
	$(BIN)/pytest -q -s -m torture

bench: .venv/ready
	$(BIN)/python -m tests.benchmarks

score: .venv/score
	$(BIN)/python -m tests.score

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

# Needs uv (pip install uv); writes names, versions and hashes, no address.
lock:
	uv pip compile pyproject.toml --group dev --group bench --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --group score --constraint requirements.lock --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-score.lock

clean:
	rm -rf .venv .cache demo .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
