package iproute_test

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/iproute"
	"warren/internal/sockdiag"
)

// FuzzSSFilter: whatever an expression says of an IPv4 socket, the program that is made of it for the kernel says too.
func FuzzSSFilter(f *testing.F) {
	for _, text := range []string{
		"sport = :80 or dport >= 8080", "( src 10.0.0.0/8 and not dst 127.0.0.1:443 )", "dport != 1 sport < 5 | fwmark 0x2a/0xff", "! ! sport 0",
		"dst 10/8 or src *:22", "src any", ") (",
	} {
		f.Add(text, uint32(0x0a000001), uint16(80), uint32(0x7f000001), uint16(8080), uint32(42))
	}
	f.Fuzz(func(t *testing.T, text string, a uint32, ap uint16, b uint32, bp uint16, mark uint32) {
		four := func(v uint32, p uint16) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), p)
		}
		s := &sockdiag.Inet{Family: unix.AF_INET, Local: four(a, ap), Remote: four(b, bp), Mark: &mark}
		if ours, kernels, ok := iproute.TryFilter(text, s); ok && ours != kernels {
			t.Fatalf("%q of %+v: we %t, the kernel %t", text, s, ours, kernels)
		}
	})
}
