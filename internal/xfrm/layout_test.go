package xfrm_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warren/internal/xfrm"
)

// TestSizes compares with what the C compiler says of linux/xfrm.h on 64-bit machines.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"selector", xfrm.Size[xfrm.Selector](), 56},
		{"id", xfrm.Size[xfrm.ID](), 24},
		{"lifetime_cfg", xfrm.Size[xfrm.Lifetime](), 64},
		{"lifetime_cur", xfrm.Size[xfrm.Used](), 32},
		{"stats", xfrm.Size[xfrm.Stats](), 12},
		{"usersa_info", xfrm.Size[xfrm.State](), 224},
		{"usersa_id", xfrm.Size[xfrm.StateID](), 24},
		{"usersa_flush", xfrm.Size[xfrm.Flush](), 1},
		{"user_expire", xfrm.Size[xfrm.Expire](), 232},
		{"userspi_info", xfrm.Size[xfrm.SPIRange](), 232},
		{"address_filter", xfrm.Size[xfrm.AddressFilter](), 36},
		{"userpolicy_info", xfrm.Size[xfrm.Policy](), 168},
		{"userpolicy_id", xfrm.Size[xfrm.PolicyID](), 64},
		{"userpolicy_type", xfrm.Size[xfrm.PolicyType](), 6},
		{"userpolicy_default", xfrm.Size[xfrm.DefaultPolicies](), 3},
		{"user_polexpire", xfrm.Size[xfrm.PolicyExpire](), 176},
		{"user_tmpl", xfrm.Size[xfrm.Template](), 64},
		{"user_acquire", xfrm.Size[xfrm.Acquire](), 280},
		{"aevent_id", xfrm.Size[xfrm.Event](), 48},
		{"user_mapping", xfrm.Size[xfrm.Mapping](), 64},
		{"user_report", xfrm.Size[xfrm.Report](), 60},
		{"encap_tmpl", xfrm.Size[xfrm.Encap](), 24},
		{"mark", xfrm.Size[xfrm.Mark](), 8},
		{"replay_state", xfrm.Size[xfrm.Replay](), 12},
		{"replay_state_esn", xfrm.Size[xfrm.ReplayESN](), 24},
		{"user_offload", xfrm.Size[xfrm.Offload](), 8},
		{"algo", xfrm.Size[xfrm.Algorithm](), 68},
		{"algo_aead", xfrm.Size[xfrm.AlgorithmAEAD](), 72},
		{"algo_auth", xfrm.Size[xfrm.AlgorithmTruncated](), 72},
		{"user_sec_ctx", xfrm.Size[xfrm.Context](), 8},
		{"sadhinfo", xfrm.Size[xfrm.HashCount](), 8},
		{"spdinfo", xfrm.Size[xfrm.PolicyCount](), 24},
		{"spdhthresh", xfrm.Size[xfrm.Thresholds](), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %d bytes, want %d", c.got, c.want)
			}
		})
	}
}

// TestPlaces looks at fields whose places are easy to get wrong, in bytes as the kernel sent them.
func TestPlaces(t *testing.T) {
	s := xfrm.State{Family: 2, Mode: xfrm.ModeTunnel, ReplayWindow: 32, Flags: xfrm.StateESN, Seq: 7, ReqID: 9}
	s.ID.SPI, s.ID.Proto = xfrm.Put32(0x100), 50
	b := xfrm.Append(nil, s)
	for _, c := range []struct {
		name string
		at   int
		want []byte
	}{
		{"spi", 56 + 16, []byte{0, 0, 1, 0}},
		{"proto", 56 + 20, []byte{50}},
		{"seq", 204, binary.NativeEndian.AppendUint32(nil, 7)},
		{"reqid", 208, binary.NativeEndian.AppendUint32(nil, 9)},
		{"family", 212, binary.NativeEndian.AppendUint16(nil, 2)},
		{"mode", 214, []byte{1, 32, 128}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := b[c.at : c.at+len(c.want)]; !bytes.Equal(got, c.want) {
				t.Errorf("got %x, want %x", got, c.want)
			}
		})
	}
}

// TestWithin agrees with netip's prefixes.
func TestWithin(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var raw, other [16]byte
		copy(raw[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "address"))
		raw[0], raw[1] = 0xfd, 0xfd // netip takes some that start with zeroes for another family
		other = raw
		other[rapid.IntRange(0, 15).Draw(rt, "at")] ^= rapid.Byte().Draw(rt, "change")
		bits := rapid.IntRange(0, 128).Draw(rt, "bits")
		want := netip.PrefixFrom(netip.AddrFrom16(raw), bits).Contains(netip.AddrFrom16(other))
		if got := xfrm.Address(raw).Within(xfrm.Address(other), bits); got != want {
			rt.Fatalf("%x within %x/%d: got %t, want %t", other, raw, bits, got, want)
		}
	})
}

func TestAddress(t *testing.T) {
	for _, text := range []string{"10.0.0.1", "fd00::1", "::ffff:1.2.3.4"} {
		a := netip.MustParseAddr(text)
		family := uint16(10)
		if a.Is4() {
			family = 2
		}
		if got := xfrm.MakeAddress(a).Addr(family); got != a {
			t.Errorf("%s came back as %s", a, got)
		}
	}
	if a := (xfrm.Address{}).Addr(0); a.IsValid() {
		t.Errorf("an address of no family is %s", a)
	}
}

// same checks that what is decoded encodes to the same value, and that too few bytes are none.
func same[T xfrm.Layout](t *testing.T, b []byte) {
	t.Helper()
	v, ok := xfrm.Decode[T](b)
	if want := len(b) >= xfrm.Size[T](); ok != want {
		t.Fatalf("%d bytes of %T: got %t, want %t", len(b), v, ok, want)
	}
	if !ok {
		return
	}
	again := xfrm.Append(nil, v)
	if len(again) != xfrm.Size[T]() {
		t.Fatalf("%T has %d bytes, want %d", v, len(again), xfrm.Size[T]())
	}
	if w, ok := xfrm.Decode[T](again); !ok || w != v {
		t.Fatalf("%T came back another:\n%s", v, cmp.Diff(v, w))
	}
}

// FuzzLayouts reads bytes as each of the larger layouts.
func FuzzLayouts(f *testing.F) {
	f.Add(make([]byte, 300))
	f.Add(bytes.Repeat([]byte{0xff}, 223))
	f.Fuzz(func(t *testing.T, b []byte) {
		same[xfrm.State](t, b)
		same[xfrm.Policy](t, b)
		same[xfrm.Template](t, b)
		same[xfrm.Acquire](t, b)
		same[xfrm.Expire](t, b)
		same[xfrm.PolicyExpire](t, b)
		same[xfrm.Event](t, b)
		same[xfrm.Mapping](t, b)
		same[xfrm.Report](t, b)
		same[xfrm.SPIRange](t, b)
		same[xfrm.ReplayESN](t, b)
		same[xfrm.AlgorithmAEAD](t, b)
	})
}
