#!/bin/bash
# Measures the Go client against a running server, beside the bare generated stubs:
#
#   clients/go/bench.sh [--address HOST:PORT] SECONDS ROUNDS
#
# What is compared takes turns in slices of SECONDS, ROUNDS times. It prints one line of medians:
#
#   client=go unary_ratio=... put_ratio=... coalescing_ratio=... events_ratio=...
#       cpu_us_bare=... cpu_us_client=...
#
# in one line: the client's rate of gets, puts and events over that of the stubs, with one caller;
# the rate of 64 callers with coalescing over that without; and the CPU time of a get in us.
# What is built lies in $CX_CACHE (~/.cache/contextd).
set -euo pipefail

build=${CX_CACHE:-$HOME/.cache/contextd}/go-bench
mkdir -p "$build"
(cd "$(dirname "$0")" && GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 \
    go build -buildvcs=false -trimpath -o "$build/bench" ./internal/bench)
exec "$build/bench" "$@"
