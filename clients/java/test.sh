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

reports=target/surefire-reports
rm -rf $reports

# Maven resets colours that it never set.
maven() {
    mvn --batch-mode --no-transfer-progress --quiet -T1 "$@" 2>&1 | sed -u $'s/\e\\[0m//g'
}

status=0
# Without a network first: what is there already is not looked for again.
maven --offline "$@" package || status=$?
if [[ $status -ne 0 && ! -d $reports ]]; then
    status=0
    maven "$@" package || status=$?
fi

# The lines of the reports.
reported() {
    find $reports -name 'TEST-*.xml' -exec cat {} + 2>/dev/null || true
}

# The sum of an attribute over the reports.
sum() {
    reported | sed -nE "s/^<testsuite .* $1=\"([0-9]+)\".*/\1/p" |
        awk '{ n += $1 } END { print n + 0 }'
}

# One line for each case that failed.
reported | awk '
    match($0, /<testcase name="[^"]*" classname="[^"]*"/) { split(substr($0, RSTART), part, "\"") }
    /^ *<(failure|error) / { print "FAILED " part[4] "." part[2] }'

skipped=$(sum skipped)
failed=$(($(sum failures) + $(sum errors)))
passed=$(($(sum tests) - failed - skipped))
if [[ $status -ne 0 && $failed -eq 0 ]]; then
    failed=1 # It did not build.
fi
echo "$passed passed, $failed failed, $skipped skipped"
[[ $status -eq 0 ]] || exit "$status"

./package-test.sh
