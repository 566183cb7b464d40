#!/bin/bash
# Checks and tests the Python client:
#
#   clients/python/test.sh [pytest's arguments]
#
# lints, types, stale generated code, the unit tests with the oldest libraries allowed, and
# all tests with the newest. The tests with a real server need $CONTEXTD_BINARY, or what
# `make build` left; without either they are skipped. Tools come from a virtual environment
# that is made once (see venv.sh).
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

if [[ -z ${CONTEXTD_BINARY:-} && -x $root/bazel-bin/server/contextd ]]; then
    CONTEXTD_BINARY=$root/bazel-bin/server/contextd
fi
if [[ -n ${CONTEXTD_BINARY:-} ]]; then
    CONTEXTD_BINARY=$(realpath "$CONTEXTD_BINARY")
    export CONTEXTD_BINARY
fi
# Nothing is left in the source tree, and nothing of the caller's Python gets in.
export PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH

./generate.sh --check

bin=$(./venv.sh)/bin
scripts=("$root"/tests/integration/replay_{points,python,tracker}.py)
"$bin/ruff" check --quiet --no-cache src tests bench examples
"$bin/ruff" check --quiet --no-cache --config pyproject.toml "${scripts[@]}"
"$bin/ruff" format --quiet --check --no-cache --config pyproject.toml src tests bench examples \
    "${scripts[@]}"
# The package for the oldest Python it runs on; its tests for those that pytest runs on.
"$bin/mypy" --no-error-summary --cache-dir=/dev/null src
"$bin/mypy" --no-error-summary --cache-dir=/dev/null --python-version 3.10 tests "${scripts[@]}"

floor=$(./venv.sh requirements-floor.txt)/bin
env -u CONTEXTD_BINARY "$floor/python" -m pytest --ignore=tests/test_package.py \
    --ignore=tests/server --ignore=tests/conformance
exec "$bin/python" -m pytest "$@"
