module github.com/contextd/contextd/clients/go/tools/generate

go 1.23

require (
	google.golang.org/grpc/cmd/protoc-gen-go-grpc v1.5.1
	google.golang.org/protobuf v1.36.12
)
