package nl_test

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"warren/internal/nl"
)

// ackAll accepts everything.
func ackAll(reqs []sent) []reply {
	var out []reply
	for _, r := range reqs {
		out = append(out, ack(r, 0, ""))
	}
	return out
}

func TestBatchCutsIntoDatagrams(t *testing.T) {
	for name, tc := range map[string]struct {
		reqs []nl.Request
		want []int
	}{
		"none":     {nil, nil},
		"one":      {requests(1), []int{1}},
		"full":     {requests(64), []int{64}},
		"messages": {requests(130), []int{64, 64, 2}},
		"bytes": {[]nl.Request{
			{Data: make([]byte, 20<<10)}, {Data: make([]byte, 20<<10)}, {Data: make([]byte, 60<<10)}, {}, {},
		}, []int{1, 1, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &fakeWire{answer: ackAll}
			for i, err := range nl.NewWire(w).Batch(tc.reqs) {
				if err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			}
			var got []int
			for _, s := range w.sends {
				got = append(got, len(s))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("requests in each datagram (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchSendsWhatItIsGiven(t *testing.T) {
	w := &fakeWire{answer: ackAll}
	c := nl.NewWire(w)
	c.Batch([]nl.Request{{Type: 16, Flags: netlink.Create | netlink.Excl, Data: []byte{1, 2, 3, 4, 5}}, {Type: 20}})
	got := w.sends[0]
	if got[0].seq == 0 || got[1].seq != got[0].seq+1 {
		t.Errorf("sequence numbers %d and %d, want consecutive ones, none zero", got[0].seq, got[1].seq)
	}
	want := []sent{
		{16, netlink.Request | netlink.Acknowledge | netlink.Create | netlink.Excl, got[0].seq, []byte{1, 2, 3, 4, 5}},
		{20, netlink.Request | netlink.Acknowledge, got[1].seq, nil},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sent{})); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// TestBatchMatches lets the acknowledgements come in any order, in datagrams of any size, twice, and mixed with strangers.
func TestBatchMatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 64).Draw(rt, "n")
		errnos := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 17, 95}), n, n).Draw(rt, "errnos")
		order := rapid.Permutation(seq(n)).Draw(rt, "order")
		twice := rapid.SliceOfN(rapid.Bool(), n, n).Draw(rt, "twice")
		together := rapid.SliceOfN(rapid.Bool(), n, n).Draw(rt, "together")
		stranger := rapid.Bool().Draw(rt, "stranger")
		w := &fakeWire{answer: func(reqs []sent) []reply {
			var out []reply
			for k, i := range order {
				a := ack(reqs[i], errnos[i], "")
				if together[k] && len(out) > 0 {
					out[len(out)-1].b = append(out[len(out)-1].b, a.b...)
				} else {
					out = append(out, a)
				}
				if twice[k] { // the second one says something else and does not count
					out = append(out, ack(reqs[i], 1, ""))
				}
				if stranger {
					out = append(out, reply{b: message(16, 0, 0, 1, 2, 3, 4)}, reply{b: message(netlink.Error, 0, reqs[0].seq-1, 255, 255, 255, 255)})
				}
			}
			return out
		}}
		for i, err := range nl.NewWire(w).Batch(requests(n)) {
			if !errors.Is(err, errnoOrNil(errnos[i])) {
				rt.Fatalf("request %d: got %v, want errno %d", i, err, errnos[i])
			}
		}
	})
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func errnoOrNil(n int) error {
	if n == 0 {
		return nil
	}
	return syscall.Errno(n)
}

func TestLostAnswers(t *testing.T) {
	drop := func(lost ...int) func([]sent) []reply {
		return func(reqs []sent) []reply {
			var out []reply
			for i, r := range reqs {
				if !slices.Contains(lost, i) {
					out = append(out, ack(r, 0, ""))
				}
			}
			return out
		}
	}
	for name, tc := range map[string]struct {
		answer func([]sent) []reply
		want   []error
	}{
		"silence": {func([]sent) []reply { return nil }, []error{nl.ErrNoAnswer, nl.ErrNoAnswer, nl.ErrNoAnswer}},
		"one":     {drop(1), []error{nil, nl.ErrNoAnswer, nil}},
		"overrun": {
			func(reqs []sent) []reply { return append([]reply{{err: unix.ENOBUFS}}, drop(2)(reqs)...) },
			[]error{nil, nil, unix.ENOBUFS},
		},
		"overrun-without-end": {
			func([]sent) []reply { return slices.Repeat([]reply{{err: unix.ENOBUFS}}, 100) },
			[]error{unix.ENOBUFS, unix.ENOBUFS, unix.ENOBUFS},
		},
		"short": {
			func(reqs []sent) []reply { return append([]reply{{b: []byte{1, 2, 3}}}, drop(0)(reqs)...) },
			[]error{nl.ErrMalformed, nil, nil},
		},
		"cut": {
			func(reqs []sent) []reply {
				a := ack(reqs[0], 0, "")
				return append([]reply{{b: a.b[:len(a.b)-8]}}, drop(0)(reqs)...)
			},
			[]error{nl.ErrMalformed, nil, nil},
		},
		"empty-ack": {
			func(reqs []sent) []reply {
				return append([]reply{{b: message(netlink.Error, 0, reqs[0].seq)}}, drop(0)(reqs)...)
			},
			[]error{nl.ErrMalformed, nil, nil},
		},
		"socket": {
			func([]sent) []reply { return []reply{{err: unix.EBADF}} },
			[]error{unix.EBADF, unix.EBADF, unix.EBADF},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := nl.NewWire(&fakeWire{answer: tc.answer}).Batch(requests(3))
			for i := range got {
				if !errors.Is(got[i], tc.want[i]) {
					t.Errorf("request %d: got %v, want %v", i, got[i], tc.want[i])
				}
			}
		})
	}
}

// TestNextAfterLoss: what came too late does not disturb the next request.
func TestNextAfterLoss(t *testing.T) {
	var late []reply
	w := &fakeWire{answer: func(reqs []sent) []reply {
		out := late
		if late == nil {
			late = []reply{ack(reqs[0], 17, "")}
			return nil
		}
		return append(out, ackAll(reqs)...)
	}}
	c := nl.NewWire(w)
	if err := c.Batch(requests(1))[0]; !errors.Is(err, nl.ErrNoAnswer) {
		t.Fatalf("first: got %v, want %v", err, nl.ErrNoAnswer)
	}
	if err := c.Batch(requests(1))[0]; err != nil {
		t.Errorf("second: %v", err)
	}
}

func TestExtendedAck(t *testing.T) {
	full := func(s sent) reply { // not capped: the whole request comes back before the explanation
		data := []byte{0xef, 0xff, 0xff, 0xff} // -17
		data = append(data, message(s.typ, s.flags, s.seq, s.data...)...)
		data = append(data, attr(1, []byte("taken\x00"))...)
		return reply{b: message(netlink.Error, netlink.AcknowledgeTLVs, s.seq, data...)}
	}
	w := &fakeWire{answer: func(reqs []sent) []reply {
		return []reply{ack(reqs[0], 95, "Unknown device type"), full(reqs[1]), ack(reqs[2], 1, "")}
	}}
	errs := nl.NewWire(w).Batch(requests(3))
	want := []*nl.Error{
		{Errno: unix.EOPNOTSUPP, Text: "Unknown device type", Offset: 40},
		{Errno: unix.EEXIST, Text: "taken"},
		{Errno: unix.EPERM},
	}
	for i := range want {
		e, ok := errors.AsType[*nl.Error](errs[i])
		if !ok {
			t.Fatalf("request %d: %v is not an Error", i, errs[i])
		}
		if diff := cmp.Diff(want[i], e); diff != "" {
			t.Errorf("request %d (-want +got):\n%s", i, diff)
		}
		if !errors.Is(errs[i], want[i].Errno) {
			t.Errorf("request %d: %v does not unwrap to its errno", i, errs[i])
		}
		if !strings.Contains(errs[i].Error(), want[i].Text) {
			t.Errorf("request %d: %q lacks the kernel's words %q", i, errs[i], want[i].Text)
		}
	}
}

func TestExchange(t *testing.T) {
	w := &fakeWire{answer: func(reqs []sent) []reply {
		return []reply{
			join(message(16, 0, reqs[0].seq, 1), message(16, netlink.Multi, reqs[0].seq, 2)),
			ack(reqs[0], 0, ""),
			ack(reqs[1], 19, "no such device"),
			{b: message(16, 0, reqs[2].seq, 3)},
			{b: message(16, 0, 0, 9)}, // a notification
			ack(reqs[2], 0, ""),
		}
	}}
	got := nl.NewWire(w).Exchange(requests(3))
	var data [][]byte
	for _, r := range got {
		for _, m := range r.Messages {
			data = append(data, m.Data)
		}
	}
	if diff := cmp.Diff([][]byte{{1}, {2}, {3}}, data); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if got[0].Err != nil || !errors.Is(got[1].Err, unix.ENODEV) || got[2].Err != nil {
		t.Errorf("errors %v, %v, %v; want nil, ENODEV, nil", got[0].Err, got[1].Err, got[2].Err)
	}
}

func TestTransact(t *testing.T) {
	reqs := requests(100)
	reqs[98].Flags = netlink.Acknowledge
	for name, tc := range map[string]struct {
		answer func([]sent) []reply
		want   map[int]error
	}{
		"good": {func(r []sent) []reply { return []reply{ack(r[98], 0, "")} }, nil},
		"refused-in-the-middle": {
			func(r []sent) []reply { return []reply{ack(r[7], 2, "no such chain"), ack(r[98], 0, "")} },
			map[int]error{7: unix.ENOENT},
		},
		"refused-as-a-whole": {
			func(r []sent) []reply { return []reply{ack(r[0], 1, "")} },
			map[int]error{0: unix.EPERM, 98: unix.EPERM},
		},
		"silence": {func([]sent) []reply { return nil }, map[int]error{98: nl.ErrNoAnswer}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &fakeWire{answer: tc.answer}
			for i, err := range nl.NewWire(w).Transact(reqs) {
				if !errors.Is(err, tc.want[i]) {
					t.Errorf("request %d: got %v, want %v", i, err, tc.want[i])
				}
			}
			if len(w.sends) != 1 {
				t.Errorf("sent %d datagrams, want 1", len(w.sends))
			}
		})
	}
}

func TestClosed(t *testing.T) {
	c := nl.NewWire(&fakeWire{answer: ackAll})
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Batch(requests(1))[0]; !errors.Is(err, nl.ErrClosed) {
		t.Errorf("got %v, want %v", err, nl.ErrClosed)
	}
}

// FuzzAnswers feeds anything to the request loop: it ends, and an answer that did not come is not taken for success.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add(message(netlink.Error, netlink.Capped, 1, append(make([]byte, 4), message(16, 5, 1)...)...), []byte{1})
	f.Add(message(netlink.Error, netlink.AcknowledgeTLVs, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), message(netlink.Done, 2, 1))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		w := &fakeWire{answer: func([]sent) []reply { return []reply{{b: a}, {b: b}} }}
		answered := map[uint32]bool{}
		for _, d := range [][]byte{a, b} {
			for len(d) >= 16 {
				n := u32(d)
				if n < 16 || n > len(d) {
					break
				}
				answered[uint32(u32(d[8:]))] = true
				d = d[min((n+3)&^3, len(d)):]
			}
		}
		for i, r := range nl.NewWire(w).Exchange(requests(2)) {
			if r.Err == nil && !answered[uint32(i+1)] {
				t.Errorf("request %d has no answer and no error", i)
			}
		}
	})
}
