package iproute_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warren/internal/iproute"
	"warren/internal/nl"
)

// A deafWire writes down what it is sent and has nothing to tell: it acknowledges, and tables are empty.
type deafWire struct {
	sent  []string
	queue [][]byte
}

func (w *deafWire) Send(b []byte) error {
	const ack, dump = 4, 0x300
	for len(b) > 0 {
		n, flags, seq := binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint16(b[6:]), binary.NativeEndian.Uint32(b[8:])
		w.sent = append(w.sent, fmt.Sprintf("%x %x %x", binary.NativeEndian.Uint16(b[4:]), flags&^ack, b[16:n]))
		const netlinkError, netlinkDone = 2, 3
		typ := uint16(netlinkError)
		if flags&dump == dump {
			typ = netlinkDone
		}
		const length = 16 + 4 + 16 // with the errno and the head of the request
		m := binary.NativeEndian.AppendUint32(nil, length)
		m = binary.NativeEndian.AppendUint16(m, typ)
		m = binary.NativeEndian.AppendUint16(m, 0)
		m = binary.NativeEndian.AppendUint32(m, seq)
		m = append(m, make([]byte, 8)...)
		w.queue = append(w.queue, append(m, b[:16]...))
		b = b[min((n+3)&^3, uint32(len(b))):]
	}
	return nil
}

func (w *deafWire) Receive(_ []byte, _ time.Duration) ([]byte, error) {
	if len(w.queue) == 0 {
		return nil, nl.ErrNoAnswer
	}
	b := w.queue[0]
	w.queue = w.queue[1:]
	return b, nil
}

// TestXfrmRequests gives us words that iproute2 6.1 was given, and compares what the kernel is sent with what iproute2 sent it
// (testdata/xfrm/messages.txt: type, flags without the one for acknowledgements, the rest): a kernel without ESP refuses most of
// it, so its tables cannot tell.
func TestXfrmRequests(t *testing.T) {
	text, err := os.ReadFile("testdata/xfrm/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		lines := strings.Split(block, "\n")
		words := strings.TrimPrefix(lines[0], "$ ")
		var wire deafWire
		iproute.Xfrm(strings.Fields(words), &wire)
		want := lines[1:]
		for i := range want {
			want[i] = strings.TrimSpace(want[i])
		}
		for i := range wire.sent {
			wire.sent[i] = strings.TrimSpace(wire.sent[i])
		}
		if d := cmp.Diff(want, wire.sent); d != "" {
			t.Errorf("ip %s:\n%s", words, d)
		}
	}
}
