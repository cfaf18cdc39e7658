package reachtest_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/reach"
)

// attr lays out a netlink attribute; nested ones have their flag in typ.
func attr(typ uint16, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = append(binary.NativeEndian.AppendUint16(b, typ), data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func join(list ...[]byte) (b []byte) {
	for _, x := range list {
		b = append(b, x...)
	}
	return b
}

// A member of an ipset.
type member struct {
	net     string
	proto   byte
	port    uint16
	nomatch bool
}

// makeSet does what ipset(8) create and add do (linux/netfilter/ipset/ip_set.h).
func makeSet(t *testing.T, c *nl.Conn, name, typ string, revision byte, create []byte, members ...member) {
	t.Helper()
	const nested, netOrder, made, add = 0x8000, 0x4000, 2, 9
	send := func(cmd uint16, flags uint16, body []byte) {
		t.Helper()
		b := join([]byte{unix.AF_INET, 0, 0, 0}, attr(1, 6), attr(2, append([]byte(name), 0)...), body)
		if r := c.Exchange([]nl.Request{{Type: 6<<8 | netlink.HeaderType(cmd), Flags: netlink.HeaderFlags(flags), Data: b}})[0]; r.Err != nil {
			t.Fatalf("set %s: %v", name, r.Err)
		}
	}
	send(made, unix.NLM_F_CREATE|unix.NLM_F_EXCL, join(attr(3, append([]byte(typ), 0)...), attr(4, revision), attr(5, unix.AF_INET), attr(7|nested, create...)))
	for _, m := range members {
		var data []byte
		if m.net != "" {
			p := netip.MustParsePrefix(m.net)
			data = attr(1|nested, attr(1|netOrder, p.Addr().AsSlice()...)...)
			if p.Bits() < 32 {
				data = join(data, attr(3, byte(p.Bits())))
			}
		}
		if m.port != 0 {
			data = join(data, attr(4|netOrder, byte(m.port>>8), byte(m.port)))
		}
		if m.proto != 0 {
			data = join(data, attr(7, m.proto))
		}
		if m.nomatch {
			data = join(data, attr(8|netOrder, 0, 0, 0, 4))
		}
		send(add, unix.NLM_F_EXCL, attr(7|nested, data...))
	}
}

// TestIPSets has rules of iptables ask sets of several types.
func TestIPSets(t *testing.T) {
	kerneltest.Need(t, "veth", "iptables-legacy", "exec:ip", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	build(t, "R3; room c; cable r r4 c vc; at r r4 10.0.4.1/24; at c vc 10.0.4.2/24; ip -n c route add default via 10.0.4.1")
	c, err := open(t, "r").Netlink(unix.NETLINK_NETFILTER)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	makeSet(t, c, "hosts", "hash:ip", 0, nil, member{net: "10.0.1.2/32"}, member{net: "10.9.0.1/32"})
	makeSet(t, c, "nets", "hash:net", 2, nil, member{net: "10.0.0.0/16"}, member{net: "10.0.4.0/24", nomatch: true})
	makeSet(t, c, "services", "hash:ip,port", 1, nil, member{net: "10.0.2.2/32", proto: unix.IPPROTO_TCP, port: 80}, member{net: "10.0.2.2/32", proto: unix.IPPROTO_UDP, port: 53})
	makeSet(t, c, "ports", "bitmap:port", 0, join(attr(4|0x4000, 0, 1), attr(5|0x4000, 4, 0)), member{port: 443})
	script(t, `r() { inside r iptables-legacy -A FORWARD "$@"; }
inside r iptables-legacy -P FORWARD DROP
r -m conntrack --ctstate ESTABLISHED -j ACCEPT
r -p icmp -m set --match-set nets src -j ACCEPT
r -m set --match-set hosts src -m set --match-set services dst,dst -j ACCEPT
r -p tcp -m set ! --match-set hosts src -m set --match-set ports dst -j ACCEPT`)
	for _, l := range []string{"b tcp 0.0.0.0:80", "b tcp 0.0.0.0:443", "b udp 0.0.0.0:53", "b udp 0.0.0.0:80"} {
		serve(t, l)
	}
	settleAll(t, w)
	for _, q := range []question{
		{src: "a", dst: "10.0.2.2", want: "yes"},
		{src: "c", dst: "10.0.2.2", want: "request r filter-drop"},
		{src: "a", dst: "10.0.2.2:80", want: "yes"},
		{src: "a", dst: "10.0.2.2:53/udp", want: "yes"},
		{src: "a", dst: "10.0.2.2:80/udp", want: "request r filter-drop"},
		{src: "a", dst: "10.0.2.2:443", want: "request r filter-drop"},
		{src: "c", dst: "10.0.2.2:443", want: "yes"},
		{src: "c", dst: "10.0.2.2:80", want: "request r filter-drop"},
	} {
		v := ask(t, w, q)
		wait := 500 * time.Millisecond
		if v.Reachable == reach.Yes {
			wait = 10 * time.Second
		}
		if ok, detail := try(t, q, wait); ok != (v.Reachable == reach.Yes) {
			t.Errorf("%s -> %s: why says %s, a real packet says %v (%s)", q.src, q.dst, v.Reachable, ok, detail)
		}
	}
	// An iptables-nft rule asks the same sets.
	script(t, "inside r iptables-legacy -P FORWARD ACCEPT; inside r iptables-legacy -F FORWARD; inside r iptables-nft -A FORWARD -m set --match-set services dst,dst -j DROP")
	for _, q := range []question{{src: "a", dst: "10.0.2.2:80", want: "request r filter-drop"}, {src: "a", dst: "10.0.2.2:443", want: "yes"}} {
		ask(t, w, q)
	}
}
