#!/bin/bash
# Builds tools that the modules in tools/ pin, unless they are there, and prints their folder:
#
#   bin=$(clients/go/tools.sh lint honnef.co/go/tools/cmd/staticcheck)
set -euo pipefail
cd "$(dirname "$0")/tools/$1"

version=$(cat go.mod go.sum | sha256sum | cut -c1-16)
bin=${CX_CACHE:-$HOME/.cache/contextd}/go-tools-$version
mkdir -p "$bin"
exec 9>"$bin/.lock"
flock 9
for package in "${@:2}"; do
    [[ -x $bin/${package##*/} ]] ||
        GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 \
            go build -buildvcs=false -o "$bin/" "$package" >&2
done
echo "$bin"
