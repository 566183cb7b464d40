#!/bin/bash
# Measures the client against the generated code, with a server that runs:
#
#   clients/java/bench.sh --address HOST:PORT SECONDS ROUNDS
#
# What is compared takes turns in slices of so many seconds, after four rounds to warm up. One line,
# medians of the rounds: rates over those of the bare stub (unary, events), and of 64 callers
# with coalescing over those without (threads, futures). Needs what ./test.sh built.
set -euo pipefail
cd "$(dirname "$0")"
if [[ $# != 4 || $1 != --address ]]; then
    echo "usage: bench.sh --address HOST:PORT SECONDS ROUNDS" >&2
    exit 2
fi
if [[ ! -f target/class-path ]]; then
    echo "bench.sh: run ./test.sh first" >&2
    exit 2
fi
path=target/classes:$(<target/class-path)
mkdir -p target/bench
javac -d target/bench -cp "$path" bench/src/dev/contextd/bench/Bench.java
exec java -cp "target/bench:$path" dev.contextd.bench.Bench "$2" "$3" "$4"
