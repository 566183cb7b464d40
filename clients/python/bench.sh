#!/bin/bash
# Measures what the Python client costs, on a server that runs already:
#
#   clients/python/bench.sh --address HOST:PORT SECONDS ROUNDS
#
# SECONDS is the length of one slice (0.5 or more), ROUNDS how often each is measured (5 or
# more). Prints a line for threads and one for asyncio; bench/ratios.py says what the figures are,
# and why the server's data is best in memory.
set -euo pipefail
cd "$(dirname "$0")"
export PYTHONDONTWRITEBYTECODE=1
python=$(./venv.sh)/bin/python
# Each in a process of its own: gRPC's threads of one would slow the other down.
for client in python python-asyncio; do
    PYTHONPATH=src "$python" bench/ratios.py --client "$client" "$@"
done
