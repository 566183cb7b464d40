module github.com/contextd/contextd/clients/go/conformance

go 1.23

require (
	github.com/contextd/contextd/clients/go v0.0.0
	google.golang.org/grpc v1.72.0
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/net v0.35.0 // indirect
	golang.org/x/sys v0.30.0 // indirect
	golang.org/x/text v0.22.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20250218202821-56aae31c358a // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace github.com/contextd/contextd/clients/go => ../
