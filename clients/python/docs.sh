#!/bin/bash
# Makes the API documentation of the package, as web pages, from its docstrings.
#
#   clients/python/docs.sh           writes it into clients/python/api (git ignores it)
#   clients/python/docs.sh --check   writes nothing, and fails where it would not be made
#
# The tool is pinned (requirements-docs.txt). What it warns of is an error, but for the types of
# named tuples: it looks for them in the wrong module, and prints them as they are written.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-}" in
"") out=api ;;
--check)
    out=$(mktemp -d)
    trap 'rm -rf "$out"' EXIT
    ;;
*)
    echo "usage: docs.sh [--check]" >&2
    exit 2
    ;;
esac

bin=$(./venv.sh requirements-docs.txt)/bin
PYTHONPATH=src PYTHONDONTWRITEBYTECODE=1 "$bin/python" \
    -W error -W "ignore:Error parsing type annotation" \
    -m pdoc --docformat google --no-show-source --output-directory "$out" \
    contextd contextd.tasks '!contextd.v1'
