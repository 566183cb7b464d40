//go:build tools

// Package generate pins what turns the .proto files into Go.
package generate

import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)
