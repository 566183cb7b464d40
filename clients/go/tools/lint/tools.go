//go:build tools

// Package lint pins what checks the code of the client.
package lint

import _ "honnef.co/go/tools/cmd/staticcheck"
