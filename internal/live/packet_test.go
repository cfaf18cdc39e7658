package live_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"warren/internal/live"
)

// ip4 makes an IPv4 packet with these bytes behind the header.
func ip4(proto uint8, src, dst string, rest ...byte) []byte {
	b := make([]byte, 20, 20+len(rest))
	b[0], b[8], b[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(rest)))
	copy(b[12:], netip.MustParseAddr(src).AsSlice())
	copy(b[16:], netip.MustParseAddr(dst).AsSlice())
	return append(b, rest...)
}

func ip6(proto uint8, src, dst string, rest ...byte) []byte {
	b := make([]byte, 40, 40+len(rest))
	b[0], b[6], b[7] = 0x60, proto, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(rest)))
	copy(b[8:], netip.MustParseAddr(src).AsSlice())
	copy(b[24:], netip.MustParseAddr(dst).AsSlice())
	return append(b, rest...)
}

// echo is an echo message with an id, sequence number 1 and a token.
func echo(typ byte, id uint16) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{typ, 0, 0, 0}, id), 0, 1, 1, 2, 3, 4, 5, 6, 7, 8)
}

// tcp is the beginning of a TCP segment.
func tcp(sport, dport uint16, seq uint32, flags byte) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, sport)
	binary.BigEndian.PutUint16(b[2:], dport)
	binary.BigEndian.PutUint32(b[4:], seq)
	b[12], b[13] = 0x50, flags
	return b
}

func TestParse(t *testing.T) {
	quoting := func(typ byte, quoted []byte) []byte { return append([]byte{typ, 1, 0, 0, 0, 0, 0, 0}, quoted...) }
	for _, tt := range []struct {
		name         string
		b            []byte
		flow, quoted string
		ok           bool
	}{
		{"tcp", ip4(6, "10.0.0.1", "10.0.0.2", tcp(4000, 80, 1, 2)...), "10.0.0.1:4000 > 10.0.0.2:80 tcp", "", true},
		{"tcp6", ip6(6, "fd00::1", "fd00::2", tcp(4000, 80, 1, 2)...), "[fd00::1]:4000 > [fd00::2]:80 tcp", "", true},
		{"echo", ip4(1, "10.0.0.1", "10.0.0.2", echo(8, 7)...), "10.0.0.1 > 10.0.0.2 icmp", "", true},
		{"echo6", ip6(58, "fd00::1", "fd00::2", echo(128, 7)...), "fd00::1 > fd00::2 icmp", "", true},
		{"error", ip4(1, "10.0.0.9", "10.0.0.1", quoting(3, ip4(17, "10.0.0.1", "10.0.0.2", 1, 0, 0, 53, 0, 0, 0, 0))...), "10.0.0.9 > 10.0.0.1 icmp", "10.0.0.1:256 > 10.0.0.2:53 udp", true},
		{"error6", ip6(58, "fd00::9", "fd00::1", quoting(1, ip6(58, "fd00::1", "fd00::2", echo(128, 7)...))...), "fd00::9 > fd00::1 icmp", "fd00::1 > fd00::2 icmp", true},
		{"fragment", func() []byte { b := ip4(17, "10.0.0.1", "10.0.0.2", make([]byte, 8)...); b[7] = 1; return b }(), "", "", false},
		{"other", ip4(47, "10.0.0.1", "10.0.0.2", make([]byte, 8)...), "", "", false},
		{"short", ip4(6, "10.0.0.1", "10.0.0.2", 1, 2), "", "", false},
		{"arp", []byte{0, 1, 8, 0, 6, 4, 0, 1}, "", "", false},
		{"empty", nil, "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			flow, quoted, length, ok := live.Parse(tt.b)
			if ok != tt.ok {
				t.Fatalf("ok is %v", ok)
			}
			if !ok {
				return
			}
			q := ""
			if quoted != nil {
				q = quoted.String()
			}
			if flow.String() != tt.flow || q != tt.quoted || length != len(tt.b) {
				t.Errorf("got %s, quoted %q, %d bytes; want %s, %q, %d", flow, q, length, tt.flow, tt.quoted, len(tt.b))
			}
		})
	}
}

// FuzzParse: what is read of a packet that was cut off is what is read of the whole, and nothing lies outside of it.
func FuzzParse(f *testing.F) {
	f.Add(ip4(6, "10.0.0.1", "10.0.0.2", tcp(1, 2, 3, 4)...), 30)
	f.Add(ip4(1, "10.0.0.9", "10.0.0.1", append([]byte{3, 1, 0, 0, 0, 0, 0, 0}, ip4(17, "10.0.0.1", "10.0.0.2", 1, 2, 3, 4)...)...), 40)
	f.Add(ip6(58, "fd00::1", "fd00::2", echo(128, 9)...), 50)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		flow, _, _, ok := live.Parse(b)
		if n < 0 || n > len(b) {
			return
		}
		part, _, _, partOK := live.Parse(b[:n])
		if partOK && (!ok || part != flow) {
			t.Errorf("the first %d bytes are %s, the whole is %s (%v)", n, part, flow, ok)
		}
		if _, src, dst := flow.Parts(); ok && (!src.Addr().IsValid() || !dst.Addr().IsValid()) {
			t.Errorf("a packet without addresses: %s", flow)
		}
	})
}
