package probe_test

import (
	"testing"

	"warren/internal/probe"
)

// A request that comes back as a reply, or quoted in an error, is recognised with its numbers; whatever else comes is either
// refused or has our id.
func FuzzDecodeEcho(f *testing.F) {
	f.Add(false, uint16(7), uint16(9), uint64(1), []byte{0x45, 0, 0, 0})
	f.Add(true, uint16(7), uint16(9), uint64(1), []byte{1, 4, 0, 0, 0, 0, 0, 0, 0x60})
	f.Fuzz(func(t *testing.T, v6 bool, id, seq uint16, token uint64, junk []byte) {
		msg := probe.EncodeEcho(v6, id, seq, token, 64)
		reply := append([]byte(nil), msg...)
		outer, quoting, kind := ipv4Header(), []byte{3, 1, 0, 0, 0, 0, 0, 0}, byte(0)
		if v6 {
			outer, quoting, kind = nil, []byte{1, 3, 0, 0, 0, 0, 0, 0}, 129
		}
		reply[0] = kind
		s, tok, isReply, ok := probe.DecodeEcho(v6, id, append(outer, reply...))
		if !ok || !isReply || s != seq || tok != token {
			t.Fatalf("reply: %d %d %v %v", s, tok, isReply, ok)
		}
		if _, _, _, ok := probe.DecodeEcho(v6, id+1, append(outer, reply...)); ok {
			t.Fatal("a reply to somebody else was taken")
		}
		inner := ipv4Header()
		if v6 {
			inner = make([]byte, 40)
			inner[0], inner[6] = 0x60, 58
		}
		quoted := append(append(append(append([]byte(nil), outer...), quoting...), inner...), msg[:8]...)
		s, _, isReply, ok = probe.DecodeEcho(v6, id, quoted)
		if !ok || isReply || s != seq {
			t.Fatalf("error: %d %v %v", s, isReply, ok)
		}
		for n := range quoted {
			if _, _, _, ok := probe.DecodeEcho(v6, id, quoted[:n]); ok && n < len(quoted) {
				t.Fatalf("cut at %d of %d it was taken", n, len(quoted))
			}
		}
		probe.DecodeEcho(v6, id, junk)
	})
}

func ipv4Header() []byte {
	b := make([]byte, 20)
	b[0], b[9] = 0x45, 1
	return b
}
