package contextd

import (
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// authority is host and port of an address that says how to look the host up.
func authority(address string) string {
	for _, scheme := range []string{"dns:", "passthrough:"} {
		if rest, found := strings.CutPrefix(address, scheme); found {
			return rest[strings.LastIndexByte(rest, '/')+1:] // Behind the name server, if any.
		}
	}
	return address
}

// checkPort refuses an address whose port is none, which gRPC would only do with the first call.
func checkPort(address string) error {
	_, port, err := net.SplitHostPort(authority(address))
	if err != nil || strings.Contains(port, "/") {
		return nil // It names no port, as that of a socket in the file system.
	}
	if port == "" {
		return invalidValue("the address %q has no port: it is host:port", address)
	}
	if number, err := strconv.Atoi(port); err == nil && (number < 1 || number > math.MaxUint16) {
		return invalidValue("the address %q has no port: one is 1 to %d", address, math.MaxUint16)
	}
	return nil
}

// isLocal tells that an address is of this machine: loopback, or a socket in its file system.
func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix:") || strings.HasPrefix(address, "unix-abstract:") {
		return true
	}
	address = authority(address)
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
