#!/bin/bash
# Checks and tests the Python client:
#
#   clients/python/test.sh [pytest's arguments]
#   clients/python/test.sh --all-pythons [pytest's arguments]
#
# lints, types, stale generated code, the documentation, the unit tests with the oldest
# libraries allowed, and all tests with the newest. The tests with a real server need
# $CONTEXTD_BINARY, or what `make build` left; without either they are skipped. Tools come
# from a virtual environment that is made once (see venv.sh).
#
# With --all-pythons: only the unit tests with the oldest libraries, with each Python of those
# that we support that pyenv has, or that is on the path as python3.N.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

# unit_tests PYTEST'S_ARGUMENT...   with the oldest libraries, on $CONTEXTD_PYTHON (python3)
unit_tests() {
    local floor
    floor=$(./venv.sh requirements-floor.txt)/bin
    env -u CONTEXTD_BINARY "$floor/python" -m pytest --ignore=tests/test_package.py \
        --ignore=tests/server --ignore=tests/conformance "$@"
}

# The newest of each minor version that we support and that is there.
pythons() {
    local minor found
    for minor in 9 10 11 12 13; do
        found=$(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$minor.*/bin/python" |
            sort --version-sort | tail -1) || found=$(command -v "python3.$minor") || continue
        echo "$found"
    done
}

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

if [[ ${1:-} == --all-pythons ]]; then
    shift
    mapfile -t there < <(pythons)
    [[ ${#there[@]} -gt 0 ]] || { echo "test.sh: no Python 3.9 to 3.13 is there" >&2 && exit 1; }
    for CONTEXTD_PYTHON in "${there[@]}"; do
        export CONTEXTD_PYTHON
        "$CONTEXTD_PYTHON" --version
        unit_tests "$@"
    done
    exit
fi

./generate.sh --check
./docs.sh --check

bin=$(./venv.sh)/bin
scripts=("$root"/tests/integration/replay_{points,python,tracker}.py)
"$bin/ruff" check --quiet --no-cache src tests bench examples
"$bin/ruff" check --quiet --no-cache --config pyproject.toml "${scripts[@]}"
"$bin/ruff" format --quiet --check --no-cache --config pyproject.toml src tests bench examples \
    "${scripts[@]}"
# The package for the oldest Python it runs on; its tests for those that pytest runs on.
"$bin/mypy" --no-error-summary --cache-dir=/dev/null src
"$bin/mypy" --no-error-summary --cache-dir=/dev/null --python-version 3.10 tests "${scripts[@]}"

unit_tests
exec "$bin/python" -m pytest "$@"
