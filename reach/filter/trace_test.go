package filter_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/rtnl"
	"warren/reach/filter"
	"warren/state"
)

// TestRulesAreThoseTraced compares which rule (or policy) ends a datagram with the one that the kernel's own trace names.
func TestRulesAreThoseTraced(t *testing.T) {
	kerneltest.Need(t, "nftables", "veth", "exec:nft", "exec:ip")
	prime(t)
	kerneltest.LeakCheck(t)
	w := newWire(t)
	tr := newTracer(t, w)
	var agree, unknown int
	for i := range 60 {
		rng := rand.New(rand.NewPCG(18, uint64(i)))
		text := ruleset(rng)
		if !w.load(t, text) {
			continue
		}
		tr.on(t)
		for j := range 4 {
			p := datagram(rng, 4*i+j)
			want, doubt := w.stop(p)
			if doubt {
				unknown++
				continue
			}
			tr.drain(t)
			w.arrives(t, p)
			if got := tr.drain(t); got != want {
				t.Fatalf("ruleset %d: %+v: traced %q, predicted %q\n%s", i, p, got, want, text)
			}
			agree++
		}
	}
	t.Logf("agree %d, unknown %d", agree, unknown)
}

// stop is where the evaluator says that a datagram ends: "table chain handle", "table chain policy", "" where it does not.
func (w *wire) stop(q probe) (at string, doubt bool) {
	n := filter.New(&state.Namespace{Name: "far", Contents: state.Contents{Tables: w.tables}}, routes{})
	p := &filter.Packet{
		Src: ours, Dst: theirs, Proto: filter.UDP, SPort: q.sport, DPort: q.dport, TTL: q.ttl, TOS: q.tos, Length: 28 + q.size, DF: true,
		EtherType: filter.EtherIPv4, DstMAC: w.in.MAC,
	}
	for _, hook := range []string{"prerouting", "input"} {
		r := n.Run(filter.Hook{Family: "ip", Name: hook, In: &w.in}, p)
		if len(r.Stops) == 0 {
			continue
		}
		s := r.Stops[0]
		if s.Rule.Policy {
			return fmt.Sprintf("%s %s policy", s.Rule.Table, s.Rule.Chain), s.Kind == filter.Unknown
		}
		return fmt.Sprintf("%s %s %d", s.Rule.Table, s.Rule.Chain, s.Rule.Handle), s.Kind == filter.Unknown
	}
	return "", false
}

// A tracer hears the kernel's trace of the far namespace (NFNLGRP_NFTRACE).
type tracer struct{ fd int }

func newTracer(t *testing.T, w *wire) *tracer {
	t.Helper()
	fd, err := w.h.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	const traceGroup = 9
	err = errors.Join(unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}), unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20), unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, traceGroup))
	if err != nil {
		t.Fatal(err)
	}
	return &tracer{fd}
}

// on has everything traced that comes in. The evaluator does not see the table for that.
func (*tracer) on(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", "far", "nft", "-f", "-")
	cmd.Stdin = strings.NewReader("table ip traced { chain pre { type filter hook prerouting priority -500; meta nftrace set 1; }; }")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// drain reads what was traced, and returns where something was dropped.
func (tr *tracer) drain(t *testing.T) (dropped string) {
	t.Helper()
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(tr.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return dropped
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			t.Fatal(err)
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr+4; {
			size := int(binary.NativeEndian.Uint32(b))
			if at := traced(b[unix.SizeofNlMsghdr+4 : size]); at != "" {
				dropped = at
			}
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

// traced reads the attributes of an NFT_MSG_TRACE message: "" unless it says that a packet ends there.
func traced(b []byte) string {
	const table, chain, handle, typ, verdict, policy = 1, 2, 3, 4, 5, 16 // NFTA_TRACE_*
	const nfDrop = 0
	const byPolicy, byRule = 1, 3 // NFT_TRACETYPE_*
	a := rtnl.ParseAttrs(b)
	u32 := func(v []byte) uint32 {
		if len(v) < 4 {
			return ^uint32(0)
		}
		return binary.BigEndian.Uint32(v)
	}
	switch u32(a.Bytes(typ)) {
	case byPolicy:
		if u32(a.Bytes(policy)) == nfDrop {
			return fmt.Sprintf("%s %s policy", a.Str(table), a.Str(chain))
		}
	case byRule:
		if u32(a.Nested(verdict).Bytes(1)) == nfDrop {
			return fmt.Sprintf("%s %s %d", a.Str(table), a.Str(chain), binary.BigEndian.Uint64(a.Bytes(handle)))
		}
	}
	return ""
}
