package contextd

import (
	"net"
	"net/netip"
	"strings"
)

// isLocal tells that an address is of this machine: loopback, or a socket in its file system.
func isLocal(address string) bool {
	if strings.HasPrefix(address, "unix:") || strings.HasPrefix(address, "unix-abstract:") {
		return true
	}
	for _, scheme := range []string{"dns:", "passthrough:"} {
		if rest, found := strings.CutPrefix(address, scheme); found {
			address = rest[strings.LastIndexByte(rest, '/')+1:] // Behind the name server, if any.
		}
	}
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
