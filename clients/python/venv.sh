#!/bin/bash
# Prints the folder of a virtual environment that holds what a requirements file
# pins, made on the first call and kept under $CX_CACHE (~/.cache/contextd):
#
#   $(clients/python/venv.sh)/bin/python ...                      what the tests use
#   $(clients/python/venv.sh requirements-floor.txt)/bin/python   the oldest we support
#
# CONTEXTD_PYTHON names the interpreter (python3).
set -euo pipefail
cd "$(dirname "$0")"

requirements=${1:-requirements-dev.txt}
python=${CONTEXTD_PYTHON:-python3}
cache=${CX_CACHE:-$HOME/.cache/contextd}

key=$({ "$python" -c 'import sys; print(sys.executable, sys.version)' && cat "$requirements"; } |
    sha256sum | cut -c1-16)
venv=$cache/python-$(basename "$requirements" .txt)-$key

# Complete or not there: it is made aside, and its mark comes last.
if [[ ! -e $venv/complete ]]; then
    mkdir -p "$cache"
    exec 9>"$venv.lock"
    flock 9
    if [[ ! -e $venv/complete ]]; then
        rm -rf "$venv"
        "$python" -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check \
            --requirement "$requirements" >&2
        touch "$venv/complete"
    fi
fi
echo "$venv"
