# `make help` lists the targets. Every target that needs Python sets it up once, in .venv, from requirements.lock.
SHELL := /bin/bash
BIN := .venv/bin
PERIOD ?= 2026-Q3
PYTEST_ARGS ?= -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help report test check references coverage lab docs bench spark test-spark lock clean

help: ## the targets, a line each
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

report: .venv/.ready ## the quarterly report of this workspace, in reports/ (PERIOD=2026-Q3)
	$(BIN)/khaosat ingest
	$(BIN)/khaosat report $(PERIOD)

test: .venv/.ready ## all tests (PYTEST_ARGS="tests/survey -x" for some of them)
	$(BIN)/pytest $(PYTEST_ARGS)

check: .venv/.ready ## style, types, import order, facts, notebooks: every checker, then the verdict
	@status=0; run() { echo "$$*"; "$$@" || status=1; }; \
	run $(BIN)/ruff check .; \
	run $(BIN)/ruff format --check .; \
	run $(BIN)/mypy; \
	run $(BIN)/lint-imports --no-logo --no-cache; \
	run $(BIN)/python -m khaosat.facts.lint; \
	run $(BIN)/python scripts/lint_notebooks.py notebooks; \
	exit $$status

references: ## numbers of other software, made again by the R programs in tests/reference/ (must leave no diff)
	@command -v Rscript >/dev/null || { echo "Rscript is not here: sudo apt install r-base-core r-cran-survey r-cran-survival r-cran-mass r-cran-gparotation r-cran-lavaan r-cran-polycor r-cran-psych r-cran-vgam"; exit 1; }
	@cd tests/reference && shopt -s nullglob && for program in *.R; do echo "$$program"; Rscript --vanilla "$$program" || exit 1; done
	git diff --exit-code --stat -- tests/reference

coverage: .venv/.ready ## tests with coverage of src
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

lab: .venv/.ready ## JupyterLab at its start page, on the data of this workspace
	$(BIN)/khaosat ingest
	$(BIN)/jupyter lab --config=scripts/jupyterlab/config.py

docs: .venv/.ready ## the documentation as pages to read from disk, in site/ (built strictly)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo site/index.html

bench: .venv/.ready ## measure speed and memory here, written to benchmarks/results.md
	$(BIN)/python benchmarks/run.py

spark: .venv-spark/.ready ## Spark itself, for the tests of its engine (about 500 MB; needs Java 17)

test-spark: .venv/.ready .venv-spark/.ready ## the queries on a real Spark cluster of this machine (several minutes)
	$(BIN)/pytest -m spark tests/engine/test_engines.py

lock: .venv/.ready ## resolve pyproject.toml anew, keeping versions that still fit (UPGRADE=--upgrade: the newest)
	$(BIN)/uv pip compile pyproject.toml --group dev --group docs --universal --python-version 3.11 --fork-strategy fewest \
	  --generate-hashes --no-annotate --custom-compile-command "make lock" --quiet $(UPGRADE) -o requirements.lock
	grep -E '^[a-z0-9]' requirements.lock | sed 's/ *\\$$//' > constraints.txt
	echo "pyspark==4.3.0" | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" --quiet -o requirements-spark.lock

clean: ## remove .venv and caches; data and reports stay
	rm -rf .venv .venv-spark site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.ready: requirements.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh

.venv-spark/.ready: requirements-spark.lock scripts/spark.sh
	@scripts/spark.sh
