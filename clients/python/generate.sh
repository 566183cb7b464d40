#!/bin/bash
# Generates the protobuf and gRPC code of the package from the .proto files.
#
#   clients/python/generate.sh           writes it into src/
#   clients/python/generate.sh --check   fails when what is in src/ is stale
#
# The generator is pinned (requirements-generate.txt): code of grpcio-tools 1.72.2 runs
# with every protobuf from 6.30 on and still on Python 3.9; newer code does not.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-}" in
"" | --check) mode=${1:-write} ;;
*)
    echo "usage: generate.sh [--check]" >&2
    exit 2
    ;;
esac

bin=$(./venv.sh requirements-generate.txt)/bin
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# generate SOURCE_ROOT PLUGINS FILE...
generate() {
    local root=$1 grpc=()
    [[ $2 == messages ]] || grpc=(--grpc_python_out="$out" --mypy_grpc_out=quiet:"$out")
    "$bin/python" -m grpc_tools.protoc --proto_path="$root" \
        --plugin=protoc-gen-mypy="$bin/protoc-gen-mypy" \
        --plugin=protoc-gen-mypy_grpc="$bin/protoc-gen-mypy_grpc" \
        --python_out="$out" --mypy_out=quiet:"$out" "${grpc[@]}" "${@:3}"
}

generate ../../proto services ../../proto/contextd/v1/*.proto
generate proto messages proto/contextd/_rpc/*.proto
# A file without services needs no code for them.
rm "$out"/contextd/v1/resources_pb2_grpc.*

stale=0
for folder in contextd/v1 contextd/_rpc; do
    if [[ $mode == --check ]]; then
        diff --recursive --brief --exclude=__init__.py --exclude=__pycache__ \
            "src/$folder" "$out/$folder" >&2 || stale=1
    else
        find "src/$folder" -name '*_pb2*' -delete
        cp "$out/$folder"/* "src/$folder/"
    fi
done
if [[ $stale -ne 0 ]]; then
    echo "The generated Python code is stale: run clients/python/generate.sh" >&2
    exit 1
fi
