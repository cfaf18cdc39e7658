package reachtest_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
	"warren/reach"
)

// TestScenes builds every case with plain commands, asks, compares with the expected answer and with what a real packet
// does, and asks again: what the probe left in the caches changes nothing.
func TestScenes(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "vxlan", "macvlan", "nftables", "iptables-legacy", "ipv6", "bridge-nf", "exec:ip", "exec:nft", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	for _, s := range slices.Concat(scenes(), moreScenes(), wideScenes(), soakedScenes(), doubtScenes()) {
		t.Run(s.id, func(t *testing.T) {
			build(t, s.build)
			if !slices.ContainsFunc(s.ask, func(q question) bool { return strings.HasSuffix(q.want, " address-tentative") }) {
				settleAll(t, w)
			}
			for _, l := range s.serve {
				serve(t, l)
			}
			for _, q := range s.ask {
				first := ask(t, w, q)
				if q.blind {
					continue
				}
				ok, detail := try(t, q, 500*time.Millisecond)
				if !ok && first.Reachable == reach.Yes {
					ok, detail = try(t, q, 5*time.Second) // a busy machine
				}
				if ok != (first.Reachable == reach.Yes) && first.Reachable != reach.Unknown {
					t.Errorf("%s -> %s: why says %s, a real packet says %v (%s)", q.src, q.dst, first.Reachable, ok, detail)
				}
				ask(t, w, q)
			}
		})
	}
}

func ask(t *testing.T, w *warren.Warren, q question) reach.Verdict {
	t.Helper()
	wq := warren.WhyQuery{Source: q.src, Destination: q.dst, Mark: q.mark, Size: q.size, TTL: q.ttl}
	if q.from != "" {
		wq.From = netip.MustParseAddr(q.from)
	}
	if q.user {
		wq.Unprivileged, wq.GID = true, 1000
	}
	v, err := w.Why(t.Context(), wq)
	if err != nil {
		t.Errorf("%s -> %s: %v", q.src, q.dst, err)
		return v
	}
	if got := short(v); got != q.want {
		t.Errorf("%s -> %s (size %d):\n got %s\nwant %s\n%s", q.src, q.dst, q.size, got, q.want, walk(v))
	}
	if q.object != "" && !slices.ContainsFunc(v.Unknowns, func(u reach.Doubt) bool { return u.Object == q.object }) {
		t.Errorf("%s -> %s: no unknown names %s: %+v", q.src, q.dst, q.object, v.Unknowns)
	}
	if q.also != "" && !slices.ContainsFunc(v.Also, func(r reach.Reason) bool { return string(r.Code) == q.also }) {
		t.Errorf("%s -> %s: %s is not among also: %+v", q.src, q.dst, q.also, v.Also)
	}
	return v
}

// short is a verdict as the cases write it.
func short(v reach.Verdict) string {
	if v.Reason == nil {
		return v.Reachable
	}
	return *v.Failed + " " + v.Reason.Namespace + " " + string(v.Reason.Code)
}

// walk is a verdict as one reads it in a failure.
func walk(v reach.Verdict) string {
	var b strings.Builder
	if v.Reason != nil {
		b.WriteString("reason: " + v.Reason.Text + "\n")
	}
	for _, part := range [][]reach.Step{v.Request, v.Reply} {
		for _, s := range part {
			mark := "ok"
			if s.Unknown {
				mark = "??"
			} else if !s.OK {
				mark = "X "
			}
			b.WriteString(" " + mark + " " + s.Namespace + " " + s.Stage + " " + s.Text + "\n")
		}
		b.WriteString(" --\n")
	}
	for _, a := range v.Also {
		b.WriteString("also " + string(a.Code) + " " + a.Namespace + " " + a.Text + "\n")
	}
	for _, u := range v.Unknowns {
		b.WriteString("unknown " + u.Namespace + " " + u.Object + ": " + u.Text + "\n")
	}
	return b.String()
}

// try sends the packet.
func try(t *testing.T, q question, wait time.Duration) (bool, string) {
	t.Helper()
	d, err := reach.ParseDestination(q.dst)
	if err != nil || !d.Addr.IsValid() {
		t.Fatalf("destination %q: %v", q.dst, err)
	}
	s := shot{src: q.src, dst: d.Addr, port: d.Port, size: q.size, proto: "icmp"}
	switch d.Proto {
	case 6:
		s.proto = "tcp"
	case 17:
		s.proto = "udp"
	}
	if q.from != "" {
		s.from = netip.MustParseAddr(q.from)
	}
	return fire(t.Context(), open(t, q.src), s, wait)
}

func code(v reach.Verdict) reach.Code {
	if v.Reason == nil {
		return ""
	}
	return v.Reason.Code
}
