package live_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warren/internal/live"
	"warren/reach"
)

const (
	sent, received, dropped = 1, 2, 3
	ours                    = "warren-why-0"
)

func flow(proto uint8, src, dst string) live.Tuple {
	return live.TupleOf(proto, netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst))
}

// brief is what matters of events: direction, namespace, event, link, and the packet.
func brief(list []live.Event) []string {
	var out []string
	for _, e := range list {
		words := []string{e.Direction, e.Namespace, e.Link, e.Event, e.Hook, e.Object, e.Verdict, e.Reason, e.Packet}
		out = append(out, strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " "))
	}
	return out
}

// TestAssembleFollowsTranslation: the request is translated in b (namespace 1), comes to c with other addresses, and the answer
// that c sends is known by them. Another packet with an sk_buff of the same address is not ours.
func TestAssembleFollowsTranslation(t *testing.T) {
	request := flow(6, "10.0.1.2:4000", "10.0.1.1:8080")
	before := ip4(6, "10.0.1.2", "10.0.1.1", tcp(4000, 8080, 77, 2)...)
	after := ip4(6, "10.0.2.1", "10.0.2.2", tcp(4000, 80, 77, 2)...)
	answer := ip4(6, "10.0.2.2", "10.0.2.1", tcp(80, 4000, 9, 0x12)...)
	back := ip4(6, "10.0.1.1", "10.0.1.2", tcp(8080, 4000, 9, 0x12)...)
	other := ip4(6, "10.0.1.2", "10.0.9.9", tcp(5000, 443, 123, 2)...)
	carrier := ip4(17, "172.16.0.1", "172.16.0.2", make([]byte, 60)...)
	got := live.Assemble(request, ours, []live.Record{
		live.RecordOf(3*time.Millisecond, 7, sent, 0, 1, "r2", after),
		live.RecordOf(1*time.Millisecond, 7, sent, 0, 0, "va", before),
		live.RecordOf(2*time.Millisecond, 7, received, 0, 1, "r1", before),
		live.RecordOf(4*time.Millisecond, 7, received, 0, 2, "vb", after),
		live.RecordOf(5*time.Millisecond, 8, sent, 0, 2, "vb", answer),
		live.RecordOf(6*time.Millisecond, 8, sent, 0, 1, "r1", back),
		live.RecordOf(7*time.Millisecond, 7, dropped, 3, 2, "vb", after),
		live.RecordOf(8*time.Millisecond, 7, sent, 0, 0, "va", other),
		live.RecordOf(9*time.Millisecond, 8, sent, 0, 1, "eth0", carrier),
		live.RecordOf(10*time.Millisecond, 99, sent, 0, 1, "eth0", other),
	}, nil, map[uint32]string{3: "NO_SOCKET"})
	want := []string{
		"request a va sent 10.0.1.2:4000 > 10.0.1.1:8080 tcp",
		"request b r1 received 10.0.1.2:4000 > 10.0.1.1:8080 tcp",
		"request b r2 sent 10.0.2.1:4000 > 10.0.2.2:80 tcp",
		"request c vb received 10.0.2.1:4000 > 10.0.2.2:80 tcp",
		"reply c vb sent 10.0.2.2:80 > 10.0.2.1:4000 tcp",
		"reply b r1 sent 10.0.1.1:8080 > 10.0.1.2:4000 tcp",
		"request c vb dropped NO_SOCKET 10.0.2.1:4000 > 10.0.2.2:80 tcp",
		"reply b eth0 sent 172.16.0.1:0 > 172.16.0.2:0 udp", // the tunnel's packet that carries the answer
	}
	if diff := cmp.Diff(want, brief(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, e := range got {
		if e.Event == live.Dropped && (e.Code != reach.NoListener || e.Text == "" || e.Harmless) {
			t.Errorf("the drop is not explained: %+v", e)
		}
	}
}

// TestAssembleTrace: messages of one packet hang together by the kernel's number of it; our own chains are places, those of
// others rules.
func TestAssembleTrace(t *testing.T) {
	request := flow(1, "10.0.0.1:7", "10.0.0.2:7")
	p := ip4(1, "10.0.0.1", "10.0.0.2", echo(8, 7)...)
	r := ip4(1, "10.0.0.2", "10.0.0.1", echo(0, 7)...)
	foreign := ip4(1, "10.0.0.3", "10.0.0.2", echo(8, 7)...)
	got := live.Assemble(request, ours, nil, map[string][]live.Traced{"b": {
		live.TraceOf(2, ours, "prerouting", 9, 3, -1, "", 1, 1, 0, p),
		live.TraceOf(2, ours, "prerouting", 0, 1, 1, "", 1, 0, 0, nil),
		live.TraceOf(1, "f", "in", 4, 3, -3, "sub", 1, 1, 0, p),
		live.TraceOf(1, "f", "sub", 0, 3, -1, "", 1, 0, 0, nil), // the chain's end
		live.TraceOf(1, "f", "sub", 6, 3, 1, "", 1, 0, 0, nil),
		live.TraceOf(2, ours, "input", 0, 1, 1, "", 1, 1, 0, p),
		live.TraceOf(2, ours, "output", 9, 3, -1, "", 2, 0, 1, r),
		live.TraceOf(1, "f", "out", 0, 1, 0, "", 2, 0, 1, r),
		live.TraceOf(1, "f", "in", 4, 3, 0, "", 5, 1, 0, foreign),
	}}, nil)
	want := []string{
		"request b w passed prerouting 10.0.0.1 > 10.0.0.2 icmp",
		"request b w rule nft inet f/in handle 4 jump sub 10.0.0.1 > 10.0.0.2 icmp",
		"request b w rule nft inet f/sub handle 6 accept 10.0.0.1 > 10.0.0.2 icmp",
		"request b w passed input 10.0.0.1 > 10.0.0.2 icmp",
		"reply b w passed output 10.0.0.2 > 10.0.0.1 icmp",
		"reply b w rule nft inet f/out policy drop 10.0.0.2 > 10.0.0.1 icmp",
	}
	if diff := cmp.Diff(want, brief(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
