package contextd

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
)

func TestATokenGoesToOtherMachinesOnlyWithTLS(t *testing.T) {
	token := WithToken(func(context.Context) (string, error) { return "secret", nil })
	for address, local := range map[string]bool{
		"":                             true,
		"127.0.0.1:7420":               true,
		"127.9.9.9:1":                  true,
		"localhost:7420":               true,
		"dns:///localhost:7420":        true,
		"[::1]:7420":                   true,
		"[::ffff:127.0.0.1]:7420":      true,
		"unix:/run/contextd":           true,
		"contextd.example:7420":        false,
		"10.0.0.1:7420":                false,
		"127.0.0.1.example:7420":       false,
		"localhost.example:7420":       false,
		"dns://127.0.0.1/example:7420": false,
		"[2001:db8::1]:7420":           false,
	} {
		_, plain := New(address, token)
		if refused := errors.Is(plain, ErrInvalidValue); refused == local {
			t.Errorf("in plain text to %q: %v", address, plain)
		}
		if _, err := New(address, token, WithTLS(&tls.Config{MinVersion: tls.VersionTLS12})); err != nil {
			t.Errorf("with TLS to %q: %v", address, err)
		}
	}
}

func TestAnAddressWithoutAPortIsRefused(t *testing.T) {
	for address, refused := range map[string]bool{
		"127.0.0.1:":                 true,
		"localhost:":                 true,
		"[::1]:":                     true,
		"dns:///contextd.example:":   true,
		"127.0.0.1:0":                true,
		"127.0.0.1:65536":            true,
		"127.0.0.1:65535":            false,
		"[::1]:7420":                 false,
		"contextd.example":           false, // Where gRPC's resolver has a default.
		"unix:/run/contextd":         false,
		"unix:///run/contextd":       false,
		"unix-abstract:contextd":     false,
		"dns:///contextd.example:80": false,
		"passthrough:///anything":    false,
	} {
		client, err := New(address)
		if errors.Is(err, ErrInvalidValue) != refused {
			t.Errorf("%q gives %v", address, err)
		}
		if client != nil {
			_ = client.Close()
		}
	}
}
