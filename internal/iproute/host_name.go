package iproute

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"
)

// host is an address, or with -resolve the host's name.
func (s *session) host(a netip.Addr) string { return hostName(s.ctx, a, s.opt.resolve) }

// hostName is an address or, where that is asked for and it has one, its host's name.
func hostName(ctx context.Context, a netip.Addr, resolve bool) string {
	if resolve && a.IsValid() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if names, err := net.DefaultResolver.LookupAddr(ctx, a.Unmap().String()); err == nil && len(names) > 0 {
			return strings.TrimSuffix(names[0], ".")
		}
	}
	return a.String()
}
