package nl_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

func u32(b []byte) int { return int(binary.NativeEndian.Uint32(b)) }

var zero = []byte{0, 0, 0, 0}

// part and done are messages of a dump.
func part(s sent, flags netlink.HeaderFlags, data ...byte) []byte {
	return message(16, netlink.Multi|flags, s.seq, data...)
}

func done(s sent, flags netlink.HeaderFlags) []byte {
	return message(netlink.Done, netlink.Multi|flags, s.seq, zero...)
}

func TestDumpConsistency(t *testing.T) {
	const intr = netlink.DumpInterrupted
	clean := func(s sent) []reply { return []reply{join(part(s, 0, 1), part(s, 0, 2)), join(done(s, 0))} }
	onData := func(s sent) []reply { return []reply{join(part(s, intr, 7)), join(done(s, 0))} }
	onDone := func(s sent) []reply { return []reply{join(part(s, 0, 8)), join(done(s, intr))} }
	lost := func(s sent) []reply { return []reply{join(part(s, 0, 9)), {err: unix.ENOBUFS}, join(done(s, 0))} }
	for name, tc := range map[string]struct {
		attempts []func(sent) []reply // the last one goes on
		want     []byte
		err      error
		sends    int
	}{
		"clean":            {[]func(sent) []reply{clean}, []byte{1, 2}, nil, 1},
		"once-on-data":     {[]func(sent) []reply{onData, clean}, []byte{1, 2}, nil, 2},
		"once-on-done":     {[]func(sent) []reply{onDone, clean}, []byte{1, 2}, nil, 2},
		"part-lost":        {[]func(sent) []reply{lost, clean}, []byte{1, 2}, nil, 2},
		"for-ever-on-data": {[]func(sent) []reply{onData}, []byte{7}, nl.ErrInconsistent, 6},
		"for-ever-on-done": {[]func(sent) []reply{onDone}, []byte{8}, nl.ErrInconsistent, 6},
		"empty":            {[]func(sent) []reply{func(s sent) []reply { return []reply{join(done(s, 0))} }}, nil, nil, 1},
		"empty-interrupted": {[]func(sent) []reply{
			func(s sent) []reply { return []reply{join(done(s, intr))} }, clean,
		}, []byte{1, 2}, nil, 2},
		"refused": {[]func(sent) []reply{func(s sent) []reply { return []reply{ack(s, 22, "bad filter")} }}, nil, unix.EINVAL, 1},
		"failed-at-the-end": {[]func(sent) []reply{func(s sent) []reply {
			return []reply{join(part(s, 0, 1)), join(message(netlink.Done, netlink.Multi, s.seq, 0xea, 0xff, 0xff, 0xff))}
		}}, nil, unix.EINVAL, 1},
		"no-end":    {[]func(sent) []reply{func(s sent) []reply { return []reply{join(part(s, 0, 1))} }}, nil, nl.ErrNoAnswer, 1},
		"malformed": {[]func(sent) []reply{func(s sent) []reply { return []reply{join(part(s, 0, 1), []byte{1})} }}, nil, nl.ErrMalformed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			w := &fakeWire{answer: func(reqs []sent) []reply {
				f := tc.attempts[min(n, len(tc.attempts)-1)]
				n++
				return f(reqs[0])
			}}
			msgs, err := nl.NewWire(w).Dump(t.Context(), nl.Request{Type: 18})
			if !errors.Is(err, tc.err) {
				t.Errorf("error: got %v, want %v", err, tc.err)
			}
			var got []byte
			for _, m := range msgs {
				got = append(got, m.Data...)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("data: got %v, want %v", got, tc.want)
			}
			if len(w.sends) != tc.sends {
				t.Errorf("attempts: got %d, want %d", len(w.sends), tc.sends)
			}
			if f := w.sends[0][0].flags; f != netlink.Request|netlink.Dump {
				t.Errorf("flags: got %v", f)
			}
		})
	}
}

// TestDumpMessagesLast: what a dump returned is not overwritten by what comes after.
func TestDumpMessagesLast(t *testing.T) {
	w := &fakeWire{answer: func(reqs []sent) []reply {
		if reqs[0].flags&netlink.Dump == 0 {
			return ackAll(reqs)
		}
		var out []reply
		for i := range byte(100) {
			out = append(out, join(part(reqs[0], 0, slices.Repeat([]byte{i}, 3000)...)))
		}
		return append(out, join(done(reqs[0], 0)))
	}}
	c := nl.NewWire(w)
	msgs, err := c.Dump(t.Context(), nl.Request{})
	if err != nil {
		t.Fatal(err)
	}
	c.Batch(requests(64))
	if _, err := c.Dump(t.Context(), nl.Request{}); err != nil {
		t.Fatal(err)
	}
	for i, m := range msgs {
		if diff := cmp.Diff(slices.Repeat([]byte{byte(i)}, 3000), m.Data); diff != "" {
			t.Fatalf("message %d (-want +got):\n%s", i, diff)
		}
	}
	if w.buffed == 0 {
		t.Error("no memory was offered for the later parts of a long dump")
	}
}

// TestDumpGivenUp: the rest of a dump that was given up is read before the next request.
func TestDumpGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &fakeWire{}
	w.answer = func(reqs []sent) []reply {
		if reqs[0].typ != 18 {
			if len(w.queue) > 0 {
				t.Errorf("%d parts of the dump are still there", len(w.queue))
			}
			return ackAll(reqs)
		}
		cancel()
		return []reply{join(part(reqs[0], 0, 1)), join(part(reqs[0], 0, 2)), join(done(reqs[0], 0))}
	}
	c := nl.NewWire(w)
	if _, err := c.Dump(ctx, nl.Request{Type: 18}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	if err := c.Batch(requests(1))[0]; err != nil {
		t.Error(err)
	}
}
