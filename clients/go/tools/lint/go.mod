module github.com/contextd/contextd/clients/go/tools/lint

go 1.26.0

require honnef.co/go/tools v0.8.2
