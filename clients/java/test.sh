#!/bin/bash
# Builds and tests the Java client: clients/java/test.sh [Maven's arguments]
#
# The tests with a real server need $CONTEXTD_BINARY, or what `make build` left; without either
# they are skipped. After Maven's repository was filled once, no network is needed.
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

mvn=(mvn --batch-mode --no-transfer-progress --quiet -T1 "$@")
# Without a network first: what is there already is not looked for again.
"${mvn[@]}" --offline test || "${mvn[@]}" test
