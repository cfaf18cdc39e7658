package wayout

import (
	"net/netip"
	"syscall"
)

// What tests of pure parts see.
var (
	FreePrefix  = freePrefix
	ParsePrefix = parsePrefix
	Defaults4   = defaults4
	Defaults6   = defaults6
	Explain     = explain
)

// Argv is the command line of a tool.
func Argv(name string, pid int, p netip.Prefix, ip4, ip6 bool) []string {
	for _, t := range tools() {
		if t.name == name {
			return t.argv(pid, p, families{ip4: ip4, ip6: ip6})
		}
	}
	return nil
}

// Fault is an error after its way through a socket.
func Fault(err error) error { return faultOf(err) }

// Errno is for readers of Explain.
type Errno = syscall.Errno
