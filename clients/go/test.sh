#!/bin/bash
# Checks and tests the Go client:
#
#   clients/go/test.sh [arguments of go test]
#
# form, vet, staticcheck, stale generated code, and all tests, the cases of tests/conformance too,
# with the race detector, with the oldest libraries allowed, which are those of go.mod. The tests
# with a real server need $CONTEXTD_BINARY, or what `make build` left; without either they are
# skipped. Restarts: $CONTEXTD_RESTARTS (5).
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

go_newest_lint=26 # Go 1.26: what tools/lint needs.

minor() {
    go env GOVERSION | sed -nE 's/^go1\.([0-9]+).*/\1/p'
}

if [[ -z ${CONTEXTD_BINARY:-} && -x $root/bazel-bin/server/contextd ]]; then
    CONTEXTD_BINARY=$root/bazel-bin/server/contextd
fi
if [[ -n ${CONTEXTD_BINARY:-} ]]; then
    CONTEXTD_BINARY=$(realpath "$CONTEXTD_BINARY")
    export CONTEXTD_BINARY
fi
export GOTOOLCHAIN=local GOWORK=off GOFLAGS=-buildvcs=false

./generate.sh --check

unformatted=$(gofmt -l .)
if [[ -n $unformatted ]]; then
    echo "gofmt would change $unformatted" >&2
    exit 1
fi
go vet ./...
if [[ $(minor) -ge $go_newest_lint ]]; then
    "$(./tools.sh lint honnef.co/go/tools/cmd/staticcheck)/staticcheck" ./...
else
    echo "staticcheck is skipped: it needs Go 1.$go_newest_lint" >&2
fi

log=$(mktemp)
trap 'rm -f "$log" "$log.cases"' EXIT
status=0

# The cases are a module of its own, so that programs which use the client do not get what only its
# runner needs. Most of its time is waiting: it runs beside the rest.
(
    cd conformance
    go vet . && CGO_ENABLED=1 go test -race -count=1 -timeout=300s -v "$@" .
) >"$log.cases" 2>&1 &
cases=$!
CGO_ENABLED=1 go test -race -count=1 -timeout=300s -v "$@" ./... >"$log" 2>&1 || status=$?
wait "$cases" || status=$?
cat "$log.cases" >>"$log"

count() {
    grep -cE "^ *--- $1:" "$log" || true
}

# The log of a failure, or of what did not build, and then one line for each.
if [[ $status -ne 0 ]]; then
    grep -vE '^ *(=== |--- PASS|PASS|ok )' "$log" || true
    sed -nE 's/^ *--- FAIL: ([^ ]+).*/FAILED \1/p' "$log"
fi
failed=$(count FAIL)
if [[ $status -ne 0 && $failed -eq 0 ]]; then
    failed=1
fi
echo "$(count PASS) passed, $failed failed, $(count SKIP) skipped"
exit "$status"
