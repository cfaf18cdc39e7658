package nl_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

func TestDumpEach(t *testing.T) {
	answers := []func(sent) []reply{
		func(s sent) []reply { return []reply{join(part(s, 0, 1), part(s, 0, 2)), join(done(s, 0))} },
		func(s sent) []reply { return []reply{join(part(s, 0, 3), done(s, 0))} },
		func(s sent) []reply { return []reply{join(part(s, netlink.DumpInterrupted, 4)), join(done(s, 0))} },
		func(s sent) []reply { return []reply{join(done(s, netlink.DumpInterrupted))} },
		func(s sent) []reply { return []reply{ack(s, 2, "no such id")} },
		func(s sent) []reply { return []reply{join(part(s, 0, 5)), {err: unix.ENOBUFS}, join(done(s, 0))} },
		func(s sent) []reply { return []reply{join(done(s, 0))} },
		func(sent) []reply { return nil },
		func(s sent) []reply { return []reply{join(part(s, 0, 6)), join(done(s, 0))} },
	}
	n := 0
	w := &fakeWire{answer: func(reqs []sent) []reply {
		if len(reqs) != 1 || reqs[0].flags != netlink.Request|netlink.Dump || reqs[0].typ != 22 || reqs[0].data[0] != byte(n) {
			t.Errorf("request %d: %+v", n, reqs)
		}
		n++
		return answers[n-1](reqs[0])
	}}
	var seen []byte
	var errs []error
	nl.NewWire(w).DumpEach(t.Context(), len(answers), func(i int) nl.Request { return nl.Request{Type: 22, Data: []byte{byte(i), 0, 0, 0}} },
		func(i int, m netlink.Message) { seen = append(seen, byte(i), m.Data[0]) },
		func(_ int, err error) { errs = append(errs, err) })
	if diff := cmp.Diff([]byte{0, 1, 0, 2, 1, 3, 2, 4, 5, 5, 8, 6}, seen); diff != "" {
		t.Errorf("dump and message (-want +got):\n%s", diff)
	}
	want := []error{nil, nil, nl.ErrInconsistent, nl.ErrInconsistent, unix.ENOENT, unix.ENOBUFS, nil, nl.ErrNoAnswer, nil}
	if len(errs) != len(want) {
		t.Fatalf("%d dumps ended, want %d", len(errs), len(want))
	}
	for i := range want {
		if !errors.Is(errs[i], want[i]) {
			t.Errorf("dump %d: got %v, want %v", i, errs[i], want[i])
		}
	}
}

func TestQueryEach(t *testing.T) {
	lost := false
	w := &fakeWire{answer: func(reqs []sent) []reply {
		var out []reply
		for _, s := range slices.Backward(reqs) { // any order
			switch n := s.data[0]; n {
			case 3:
				out = append(out, ack(s, 2, "no such id"))
			case 99:
				lost = true // no answer
			case 5:
				out = append(out, reply{b: message(90, 0, s.seq, n, n)}, reply{b: message(90, 0, s.seq, 77)}, reply{b: message(90, 0, 0, 78)})
			default:
				out = append(out, reply{b: message(90, 0, s.seq, n, n)})
			}
		}
		return out
	}}
	got := map[int]byte{}
	errs := map[int]error{}
	nl.NewWire(w).QueryEach(requests(100), func(i int, m netlink.Message, err error) {
		if _, twice := errs[i]; twice {
			t.Errorf("request %d is answered twice", i)
		}
		errs[i] = err
		if err == nil {
			got[i] = m.Data[1]
		}
	})
	if len(errs) != 100 || len(w.sends) != 2 || !lost {
		t.Errorf("%d answers to %d datagrams", len(errs), len(w.sends))
	}
	for i := range 100 {
		var want error
		switch i {
		case 3:
			want = unix.ENOENT
		case 99:
			want = nl.ErrNoAnswer
		}
		if !errors.Is(errs[i], want) || want == nil && got[i] != byte(i) {
			t.Errorf("request %d: %d, %v; want %v", i, got[i], errs[i], want)
		}
	}
}
