#!/usr/bin/env bash
# Puts Spark itself (not its client) in .venv-spark, for the tests of the Spark engine. Needs Java 17. Run by `make spark`.
# An environment of its own: the packages of Spark's server and of its client have the same name.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf .venv-spark
python3 -m venv .venv-spark
.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-spark.lock
touch .venv-spark/.ready
