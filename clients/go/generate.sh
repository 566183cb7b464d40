#!/bin/bash
# Generates the Go code of the messages and services from the .proto files.
#
#   clients/go/generate.sh           writes it into contextdpb/
#   clients/go/generate.sh --check   fails when what is in contextdpb/ is stale
#
# protoc is Debian's (protobuf-compiler); the plugins are pinned in tools/go.mod, and kept built
# in $CX_CACHE (~/.cache/contextd).
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-}" in
"" | --check) mode=${1:-write} ;;
*)
    echo "usage: generate.sh [--check]" >&2
    exit 2
    ;;
esac

bin=$(./tools.sh generate google.golang.org/protobuf/cmd/protoc-gen-go \
    google.golang.org/grpc/cmd/protoc-gen-go-grpc)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

module=github.com/contextd/contextd/clients/go/contextdpb
PATH=$bin:$PATH protoc --proto_path=../../proto \
    --go_out="$out" --go_opt="module=$module" \
    --go-grpc_out="$out" --go-grpc_opt="module=$module" ../../proto/contextd/v1/*.proto
# What protoc is called does not matter to the code: Debian's differ by their release alone.
sed -i -E '/^\/\/[ \t-]*protoc +v[0-9.]+$/d' "$out"/*.go

if [[ $mode == --check ]]; then
    if ! diff --recursive --brief contextdpb "$out" >&2; then
        echo "The generated Go code is stale: run clients/go/generate.sh" >&2
        exit 1
    fi
else
    rm -f contextdpb/*.go
    cp "$out"/*.go contextdpb/
fi
