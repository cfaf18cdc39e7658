package sockdiag_test

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"warren/internal/sockdiag"
)

// A condition is a program together with what it should answer.
type condition struct {
	program sockdiag.Program
	want    func(s *sockdiag.Inet) bool
}

func leaf(t *rapid.T) condition {
	port := uint16(rapid.IntRange(1, 4).Draw(t, "port"))
	peer := rapid.Bool().Draw(t, "peer")
	end := func(s *sockdiag.Inet) netip.AddrPort {
		if peer {
			return s.Remote
		}
		return s.Local
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return condition{sockdiag.PortAtLeast(peer, port), func(s *sockdiag.Inet) bool { return end(s).Port() >= port }}
	case 1:
		return condition{sockdiag.PortAtMost(peer, port), func(s *sockdiag.Inet) bool { return end(s).Port() <= port }}
	case 2:
		return condition{sockdiag.IsAt(peer, 0, int(port), nil, 0), func(s *sockdiag.Inet) bool { return end(s).Port() == port }}
	case 3:
		return condition{sockdiag.HasMark(uint32(port), 3), func(s *sockdiag.Inet) bool { return s.Mark != nil && *s.Mark&3 == uint32(port) }}
	}
	p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(port), 0, 0}), rapid.IntRange(0, 32).Draw(t, "bits")).Masked()
	a := p.Addr().AsSlice()
	return condition{sockdiag.IsAt(peer, unix.AF_INET, sockdiag.AnyPort, a, p.Bits()), func(s *sockdiag.Inet) bool {
		addr := end(s).Addr()
		return (addr.Is4() || addr.Is4In6()) && p.Contains(addr.Unmap())
	}}
}

func compose(t *rapid.T, depth int) condition {
	if depth == 0 {
		return leaf(t)
	}
	switch rapid.IntRange(0, 3).Draw(t, "join") {
	case 0:
		a, b := compose(t, depth-1), compose(t, depth-1)
		return condition{a.program.And(b.program), func(s *sockdiag.Inet) bool { return a.want(s) && b.want(s) }}
	case 1:
		a, b := compose(t, depth-1), compose(t, depth-1)
		return condition{a.program.Or(b.program), func(s *sockdiag.Inet) bool { return a.want(s) || b.want(s) }}
	case 2:
		a := compose(t, depth-1)
		return condition{a.program.Not(), func(s *sockdiag.Inet) bool { return !a.want(s) }}
	}
	return leaf(t)
}

// TestPrograms: a program takes the sockets that the condition is true of.
func TestPrograms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := compose(t, 4)
		s := &sockdiag.Inet{Family: unix.AF_INET}
		near := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 5).Draw(t, "a")), 0, 1})
		far := netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 5).Draw(t, "b")), 0, 2})
		if rapid.Bool().Draw(t, "six") {
			s.Family = unix.AF_INET6
			near, far = netip.AddrFrom16(near.As16()), netip.AddrFrom16(far.As16())
		}
		s.Local = netip.AddrPortFrom(near, uint16(rapid.IntRange(0, 5).Draw(t, "port a")))
		s.Remote = netip.AddrPortFrom(far, uint16(rapid.IntRange(0, 5).Draw(t, "port b")))
		if rapid.Bool().Draw(t, "marked") {
			s.Mark = new(uint32(rapid.IntRange(0, 5).Draw(t, "mark")))
		}
		if got, want := c.program.Run(s, false), c.want(s); got != want {
			t.Fatalf("got %t, want %t for %+v and %x", got, want, s, c.program)
		}
	})
}

// FuzzProgram: a program that is anything at all comes to an end, and its negation says the contrary of a good one.
func FuzzProgram(f *testing.F) {
	f.Add([]byte(sockdiag.PortAtLeast(true, 80).Or(sockdiag.AutoBound())), uint16(80))
	f.Fuzz(func(t *testing.T, b []byte, port uint16) {
		s := &sockdiag.Inet{Family: unix.AF_INET, Local: netip.AddrPortFrom(netip.IPv4Unspecified(), port), Remote: netip.AddrPortFrom(netip.IPv4Unspecified(), port)}
		sockdiag.Program(b).Run(s, true)
		good := sockdiag.PortAtMost(false, port/2).And(sockdiag.PortAtLeast(true, port))
		if good.Run(s, false) == good.Not().Run(s, false) {
			t.Fatalf("port %d: a program and its negation agree", port)
		}
	})
}
