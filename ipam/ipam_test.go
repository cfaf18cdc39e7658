package ipam_test

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"warren/ipam"
)

func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestPoolPassesOverWhatIsTaken(t *testing.T) {
	p := ipam.NewPool(pfx("10.0.0.0/8"), pfx("10.0.0.0/23"), pfx("10.0.3.128/25"), pfx("0.0.0.0/0"), pfx("fd00::/8"))
	for _, c := range []struct {
		bits int
		want string
	}{{24, "10.0.2.0/24"}, {24, "10.0.4.0/24"}, {22, "10.0.8.0/22"}, {24, "10.0.5.0/24"}, {25, "10.0.3.0/25"}} {
		got, err := p.Next(c.bits)
		if err != nil || got.String() != c.want {
			t.Errorf("next /%d = %v, %v, want %s", c.bits, got, err, c.want)
		}
	}
	small := ipam.NewPool(pfx("192.0.2.0/30"))
	if _, err := small.Next(24); !errors.Is(err, ipam.ErrFull) {
		t.Errorf("a /24 of a /30: %v", err)
	}
}

// TestPoolNeverOverlaps: whatever is taken in whatever order, no two prefixes overlap, and a pool is full only when it is.
func TestPoolNeverOverlaps(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pool := pfx("10.0.0.0/22")
		var all []netip.Prefix
		for range rapid.IntRange(0, 4).Draw(rt, "used") {
			a := netip.AddrFrom4([4]byte{10, 0, byte(rapid.IntRange(0, 5).Draw(rt, "third")), byte(rapid.IntRange(0, 255).Draw(rt, "last"))})
			all = append(all, netip.PrefixFrom(a, rapid.IntRange(16, 32).Draw(rt, "bits")).Masked())
		}
		used := len(all)
		p := ipam.NewPool(pool, all...)
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			bits := rapid.IntRange(22, 30).Draw(rt, "want")
			q, err := p.Next(bits)
			if err != nil {
				for a := pool.Addr(); pool.Contains(a); {
					free := netip.PrefixFrom(a, bits)
					hit := false
					for _, x := range all {
						hit = hit || x.Overlaps(free)
					}
					if !hit {
						rt.Fatalf("%v is free, and the pool says %v", free, err)
					}
					for range 1 << (32 - bits) {
						a = a.Next()
					}
				}
				continue
			}
			if q.Bits() != bits || q != q.Masked() || !pool.Contains(q.Addr()) {
				rt.Fatalf("%v is not a /%d of %v", q, bits, pool)
			}
			for _, x := range all {
				if x.Overlaps(q) {
					rt.Fatalf("%v overlaps %v (first %d are foreign)", q, x, used)
				}
			}
			all = append(all, q)
		}
	})
}

func TestHosts(t *testing.T) {
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"192.0.2.0/30", []string{"192.0.2.1", "192.0.2.2"}},
		{"192.0.2.0/31", []string{"192.0.2.0", "192.0.2.1"}},
		{"192.0.2.7/32", []string{"192.0.2.7"}},
		{"fd00::/126", []string{"fd00::1", "fd00::2", "fd00::3"}},
		{"255.255.255.252/30", []string{"255.255.255.253", "255.255.255.254"}},
	} {
		h := ipam.NewHosts(pfx(c.prefix))
		for _, w := range c.want {
			if a, err := h.Next(); err != nil || a.String() != w {
				t.Errorf("%s: got %v, %v, want %s", c.prefix, a, err, w)
			}
		}
		if a, err := h.Next(); !errors.Is(err, ipam.ErrFull) {
			t.Errorf("%s: %v after the last one (%v)", c.prefix, a, err)
		}
	}
}

func TestBits4(t *testing.T) {
	for n, want := range map[int]int{1: 24, 254: 24, 255: 23, 510: 23, 511: 22, 1000: 22, 100_000: 15} {
		if got := ipam.Bits4(n, 24); got != want {
			t.Errorf("Bits4(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestULA(t *testing.T) {
	a, b := ipam.ULA("a"), ipam.ULA("b")
	if a == b || a.Bits() != 48 || !a.Addr().IsPrivate() || a != a.Masked() || a != ipam.ULA("a") {
		t.Errorf("ULA: %v %v", a, b)
	}
}
