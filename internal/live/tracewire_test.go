package live_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"pgregory.net/rapid"

	"warren/internal/live"
)

// encode writes a message as the kernel does (nf_tables_trace.c, nft_trace_notify).
func encode(t live.Traced) []byte {
	family, table, chain, handle, typ, verdict, target, id, iif, oif, packet := t.Fields()
	a := netlink.NewAttributeEncoder()
	a.ByteOrder = binary.BigEndian
	a.Uint32(6, id)
	if chain != "" {
		a.String(2, chain)
	}
	if table != "" {
		a.String(1, table)
	}
	a.Uint32(15, 2) // nfproto
	a.Uint32(4, typ)
	if typ == 1 {
		a.Uint32(16, uint32(verdict))
	} else {
		a.Nested(5, func(a *netlink.AttributeEncoder) error {
			a.Uint32(1, uint32(verdict))
			if target != "" {
				a.String(2, target)
			}
			return nil
		})
	}
	if handle != 0 {
		a.Uint64(3, handle)
	}
	if iif != 0 {
		a.Uint32(10, iif)
	}
	if oif != 0 {
		a.Uint32(12, oif)
	}
	if packet != nil {
		n := min(20, len(packet))
		a.Bytes(8, packet[:n])
		a.Bytes(9, packet[n:])
	}
	b, err := a.Encode()
	if err != nil {
		panic(err)
	}
	return append([]byte{family, 0, 0, 0}, b...)
}

func same(t interface{ Fatalf(string, ...any) }, want, got live.Traced) {
	f1, t1, c1, h1, ty1, v1, ta1, i1, ii1, o1, p1 := want.Fields()
	f2, t2, c2, h2, ty2, v2, ta2, i2, ii2, o2, p2 := got.Fields()
	if diff := cmp.Diff([]any{f1, t1, c1, h1, ty1, v1, ta1, i1, ii1, o1, p1}, []any{f2, t2, c2, h2, ty2, v2, ta2, i2, ii2, o2, p2}); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestDecodeTraceReturnsWhatWasEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9_-]{0,20}`)
		typ := rapid.Uint32Range(1, 3).Draw(t, "type")
		target := ""
		if typ != 1 {
			target = rapid.OneOf(rapid.Just(""), name).Draw(t, "target")
		}
		packet := rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOfN(rapid.Byte(), 20, 80)).Draw(t, "packet")
		want := live.TraceOf(rapid.Byte().Draw(t, "family"), name.Draw(t, "table"), name.Draw(t, "chain"), rapid.Uint64().Draw(t, "handle"), typ,
			rapid.Int32Range(-5, 3).Draw(t, "verdict"), target, rapid.Uint32().Draw(t, "id"), rapid.Uint32().Draw(t, "iif"), rapid.Uint32().Draw(t, "oif"), packet)
		got, err := live.DecodeTrace(encode(want))
		if err != nil {
			t.Fatalf("%v", err)
		}
		same(t, want, got)
	})
}

// FuzzDecodeTrace: whatever is read can be written and read again, and a message that is cut off within an attribute is an
// error, not another message.
func FuzzDecodeTrace(f *testing.F) {
	f.Add(encode(live.TraceOf(1, "f", "c", 4, 3, 0, "", 7, 2, 3, make([]byte, 28))))
	f.Add(encode(live.TraceOf(2, "n", "pre", 9, 3, -3, "other", 7, 2, 0, nil)))
	f.Add(encode(live.TraceOf(7, "b", "c", 0, 1, 1, "", 1, 0, 0, nil)))
	f.Add([]byte{2, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 1}) // a handle of four bytes
	f.Add([]byte{2, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := live.DecodeTrace(b)
		if err != nil {
			if !errors.Is(err, live.ErrTrace) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		family, table, chain, handle, typ, verdict, target, id, iif, oif, packet := got.Fields()
		if typ == 1 {
			target = "" // a policy has none
		}
		want := live.TraceOf(family, table, chain, handle, typ, verdict, target, id, iif, oif, packet)
		again, err := live.DecodeTrace(encode(want))
		if err != nil {
			t.Fatalf("again: %v", err)
		}
		same(t, want, again)
	})
}

func TestDecodeTraceRefusesWhatIsCutOff(t *testing.T) {
	whole := encode(live.TraceOf(1, "table", "chain", 4, 3, 0, "", 7, 2, 3, make([]byte, 28)))
	for n := range len(whole) {
		got, err := live.DecodeTrace(whole[:n])
		if err != nil {
			continue
		}
		// Cut between two attributes: what is there is right.
		if _, table, _, _, _, _, _, id, _, _, _ := got.Fields(); table != "" && table != "table" || id != 0 && id != 7 {
			t.Errorf("cut at %d: %+v", n, got)
		}
	}
}

func TestVerdictWord(t *testing.T) {
	for v, want := range map[int32]string{0: "drop", 1: "accept", 2: "stolen", 3: "queue", 3 | 7<<16: "queue", -1: "continue", -3: "jump x", -4: "goto x", -5: "return"} {
		if got := live.VerdictWord(v, "x"); got != want {
			t.Errorf("verdict %d is %q, want %q", v, got, want)
		}
	}
}
