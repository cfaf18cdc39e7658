package sockdiag_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"warren/internal/sockdiag"
)

// equal compares addresses by ==.
var equal = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

func maybe[T any](g *rapid.Generator[T]) *rapid.Generator[*T] { return rapid.Ptr(g, true) }

func some(n int) *rapid.Generator[[]byte] {
	return rapid.Custom(func(t *rapid.T) []byte {
		if b := rapid.SliceOfN(rapid.Byte(), 0, n).Draw(t, "bytes"); len(b) > 0 {
			return b
		}
		return nil
	})
}

func endpoint(family uint8) *rapid.Generator[netip.AddrPort] {
	return rapid.Custom(func(t *rapid.T) netip.AddrPort {
		port := rapid.Uint16().Draw(t, "port")
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		if family == unix.AF_INET {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), port)
		}
		if rapid.Bool().Draw(t, "mapped") {
			copy(b, []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})
		}
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)), port)
	})
}

func inetSocket() *rapid.Generator[sockdiag.Inet] {
	return rapid.Custom(func(t *rapid.T) sockdiag.Inet {
		family := rapid.SampledFrom([]uint8{unix.AF_INET, unix.AF_INET6}).Draw(t, "family")
		u8, u32 := maybe(rapid.Uint8()), maybe(rapid.Uint32())
		return sockdiag.Inet{
			Family: family, Status: sockdiag.Status(rapid.Uint8().Draw(t, "status")), Timer: sockdiag.Timer(rapid.Uint8().Draw(t, "timer")),
			Retransmits: rapid.Uint8().Draw(t, "retransmits"), Expires: rapid.Uint32().Draw(t, "expires"),
			Local: endpoint(family).Draw(t, "local"), Remote: endpoint(family).Draw(t, "remote"), Link: rapid.Uint32().Draw(t, "link"),
			Cookie: rapid.Uint64().Draw(t, "cookie"), ReadQueue: rapid.Uint32().Draw(t, "rq"), WriteQueue: rapid.Uint32().Draw(t, "wq"),
			UID: rapid.Uint32().Draw(t, "uid"), Inode: rapid.Uint32().Draw(t, "inode"),
			Memory: maybe(rapid.Make[sockdiag.Memory]()).Draw(t, "memory"), Buffers: maybe(rapid.Make[sockdiag.Buffers]()).Draw(t, "buffers"),
			TCP: maybe(rapid.Make[sockdiag.TCPInfo]()).Draw(t, "tcp"), Vegas: maybe(rapid.Make[sockdiag.Vegas]()).Draw(t, "vegas"),
			DCTCP: maybe(rapid.Make[sockdiag.DCTCP]()).Draw(t, "dctcp"), BBR: maybe(rapid.Make[sockdiag.BBR]()).Draw(t, "bbr"),
			Congestion: rapid.StringMatching(`[a-z]{0,15}`).Draw(t, "congestion"), TOS: u8.Draw(t, "tos"), TClass: u8.Draw(t, "tclass"),
			ClassID: u32.Draw(t, "class"), Shutdown: u8.Draw(t, "shutdown"), V6Only: u8.Draw(t, "v6only"), Protocol: u8.Draw(t, "protocol"),
			Mark: u32.Draw(t, "mark"), Cgroup: rapid.Uint64().Draw(t, "cgroup"), Options: maybe(rapid.Make[sockdiag.Options]()).Draw(t, "options"),
			MD5: some(200).Draw(t, "md5"), ULP: some(64).Draw(t, "ulp"), Locals: some(256).Draw(t, "locals"), Peers: some(256).Draw(t, "peers"),
		}
	})
}

func unixSocket() *rapid.Generator[sockdiag.Unix] {
	return rapid.Custom(func(t *rapid.T) sockdiag.Unix {
		s := rapid.Make[sockdiag.Unix]().Draw(t, "socket")
		s.Name = string(some(108).Draw(t, "name"))
		return s
	})
}

func packetSocket() *rapid.Generator[sockdiag.Packet] {
	return rapid.Custom(func(t *rapid.T) sockdiag.Packet {
		s := rapid.Make[sockdiag.Packet]().Draw(t, "socket")
		s.Filter = some(64).Draw(t, "filter")
		return s
	})
}

func netlinkSocket() *rapid.Generator[sockdiag.Netlink] {
	return rapid.Custom(func(t *rapid.T) sockdiag.Netlink {
		s := rapid.Make[sockdiag.Netlink]().Draw(t, "socket")
		s.Groups = some(16).Draw(t, "groups")
		return s
	})
}

// same checks that what was encoded is decoded to what it was.
func same[T any](g *rapid.Generator[T], encode func(*T) []byte, decode func([]byte) (T, error)) func(*rapid.T) {
	return func(t *rapid.T) {
		want := g.Draw(t, "socket")
		got, err := decode(encode(&want))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, equal); d != "" {
			t.Fatalf("want (-), got (+):\n%s", d)
		}
	}
}

func decodeTCP(b []byte) (sockdiag.Inet, error) { return sockdiag.DecodeInet(b, unix.IPPROTO_TCP) }

func TestRoundTrip(t *testing.T) {
	t.Run("inet", rapid.MakeCheck(same(inetSocket(), (*sockdiag.Inet).Encode, decodeTCP)))
	t.Run("unix", rapid.MakeCheck(same(unixSocket(), (*sockdiag.Unix).Encode, sockdiag.DecodeUnix)))
	t.Run("packet", rapid.MakeCheck(same(packetSocket(), (*sockdiag.Packet).Encode, sockdiag.DecodePacket)))
	t.Run("netlink", rapid.MakeCheck(same(netlinkSocket(), (*sockdiag.Netlink).Encode, sockdiag.DecodeNetlink)))
	t.Run("vsock", rapid.MakeCheck(same(rapid.Make[sockdiag.Vsock](), (*sockdiag.Vsock).Encode, sockdiag.DecodeVsock)))
	t.Run("request", rapid.MakeCheck(func(t *rapid.T) {
		want := sockdiag.InetRequest{
			Family: rapid.Uint8().Draw(t, "family"), Protocol: rapid.IntRange(0, 1<<16-1).Draw(t, "protocol"),
			Statuses: sockdiag.Statuses(rapid.Uint32().Draw(t, "statuses")), Details: sockdiag.Details(rapid.Uint8().Draw(t, "details")),
			Filter: sockdiag.Program(some(100).Draw(t, "filter")),
		}
		got, err := sockdiag.DecodeInetRequest(want.Request().Data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("want (-), got (+):\n%s", d)
		}
	}))
}

// stable is the property of the fuzz targets: what was decoded from any bytes survives encoding, and what is too short is
// refused as malformed.
func stable[T any](t *testing.T, data []byte, encode func(*T) []byte, decode func([]byte) (T, error)) {
	t.Helper()
	first, err := decode(data)
	if err != nil {
		return
	}
	second, err := decode(encode(&first))
	if err != nil {
		t.Fatalf("%x: %v", data, err)
	}
	if d := cmp.Diff(first, second, equal); d != "" {
		t.Fatalf("%x: first (-), second (+):\n%s", data, d)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), (&sockdiag.Inet{Family: unix.AF_INET, Local: netip.MustParseAddrPort("127.0.0.1:80"), TCP: &sockdiag.TCPInfo{RTT: 7}}).Encode())
	f.Add(uint8(1), (&sockdiag.Unix{Type: unix.SOCK_STREAM, Name: "\x00abstract", Wait: []uint32{1, 2}}).Encode())
	f.Add(uint8(2), (&sockdiag.Packet{Info: &sockdiag.PacketInfo{Link: 1}, RX: &sockdiag.Ring{Blocks: 4}}).Encode())
	f.Add(uint8(3), (&sockdiag.Netlink{Port: 4711, Groups: []byte{1, 0, 0, 0}}).Encode())
	f.Add(uint8(4), (&sockdiag.Vsock{Context: 2, Port: 1024}).Encode())
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		switch kind % 5 {
		case 0:
			stable(t, data, (*sockdiag.Inet).Encode, decodeTCP)
		case 1:
			stable(t, data, (*sockdiag.Unix).Encode, sockdiag.DecodeUnix)
		case 2:
			stable(t, data, (*sockdiag.Packet).Encode, sockdiag.DecodePacket)
		case 3:
			stable(t, data, (*sockdiag.Netlink).Encode, sockdiag.DecodeNetlink)
		case 4:
			stable(t, data, (*sockdiag.Vsock).Encode, sockdiag.DecodeVsock)
		}
	})
}
