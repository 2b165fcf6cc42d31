#!/usr/bin/env bash
# Makes .venv from requirements.lock: with uv where it can be had, with pip otherwise. Run by `make`; safe to run again.
#   PYTHON=python3.12 make test      another interpreter
#   KHAOSAT_NO_UV=1 make test        plain pip
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf '\n' >&2
  printf '%s\n' "$@" >&2
  exit 1
}

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1; }

makes_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# The machine's own python3 first; a name found by `command -v` may still be a shim with nothing behind it, so each is run.
find_python() {
  local name found=""
  for name in ${PYTHON:-python3 python3.11 python3.12 python3.13}; do
    suits "$name" || continue
    found=$name
    if makes_venv "$name"; then
      printf '%s' "$name"
      return
    fi
  done
  if [ -n "$found" ]; then
    fail "Python ($found) trên máy này thiếu mô-đun venv. Hãy cài rồi chạy lại:  sudo apt install python3-venv" \
      "Python ($found) on this machine has no venv module. Install it and run again:  sudo apt install python3-venv"
  fi
  fail "Không tìm thấy Python 3.11, 3.12 hoặc 3.13. Hãy cài một bản, hoặc chỉ rõ:  PYTHON=/đường/dẫn/python3 make …" \
    "No Python 3.11, 3.12 or 3.13 found. Install one, or name it:  PYTHON=/path/to/python3 make …"
}

# uv comes from the lock like everything else, hashes included.
install_uv() {
  [ -z "${KHAOSAT_NO_UV:-}" ] || return 1
  awk '/^[a-z]/ { keep = /^uv==/ } keep' requirements.lock >.venv/uv.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
    --require-hashes --requirement .venv/uv.lock
}

rm -f .venv/.ready
if ! { suits .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
  python=$(find_python)
  echo "Tạo môi trường / creating .venv with $("$python" --version)" >&2
  rm -rf .venv
  "$python" -m venv .venv
fi
if install_uv; then
  echo "Cài đặt gói bằng uv / installing packages with uv" >&2
  .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
else
  echo "Cài đặt gói bằng pip (chậm hơn) / installing packages with pip (slower)" >&2
  pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
  "${pip[@]}" --require-hashes --requirement requirements.lock
  "${pip[@]}" --no-deps --no-build-isolation --editable .
fi
touch .venv/.ready
