package reachtest_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/reach"
)

// How the differential test runs; the environment changes it for a soak.
const (
	differentialWorlds = 300
	differentialSeed   = 20261122
	differentialWide   = 12 // worlds at a time
)

// TestDifferential makes random worlds, asks why, and sends real packets: the kernel is the judge. WARREN_REACH_WORLDS,
// WARREN_REACH_SEED and WARREN_REACH_ONE (one world of the seed, with its walk) change what is run.
func TestDifferential(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "vxlan", "macvlan", "nftables", "iptables-legacy", "ipv6", "bridge-nf", "exec:ip", "exec:nft", "root")
	n, seed := number(t, "WARREN_REACH_WORLDS", differentialWorlds), uint64(number(t, "WARREN_REACH_SEED", differentialSeed))
	if testing.Short() {
		n = min(n, 40)
	}
	first, last := 0, n
	if one := number(t, "WARREN_REACH_ONE", -1); one >= 0 {
		first, last = one, one+1
	}
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	var tally tally
	t.Logf("seed %d, %d worlds", seed, last-first)
	next := atomic.Int64{}
	next.Store(int64(first))
	var wait sync.WaitGroup
	for range differentialWide {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= last {
					return
				}
				compare(t, w, seed, i, last-first == 1, &tally)
			}
		})
	}
	wait.Wait()
	t.Logf("agree %d, disagree %d, unknown %d", tally.agree.Load(), tally.disagree.Load(), tally.unknown.Load())
	if asked := tally.agree.Load() + tally.disagree.Load() + tally.unknown.Load(); asked > 50 && tally.unknown.Load()*100 > 2*asked {
		t.Errorf("%d of %d unknown: too many", tally.unknown.Load(), asked)
	}
}

type tally struct{ agree, disagree, unknown atomic.Int64 }

func number(t *testing.T, name string, def int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return def
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// compare makes one world, asks, probes, and asks again.
func compare(t *testing.T, w *warren.Warren, seed uint64, i int, loud bool, n *tally) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	world := newWorld(seed+uint64(i)*7919, fmt.Sprintf("w%d", i))
	rooms, err := world.raise(ctx)
	defer world.raze()
	if err != nil {
		t.Errorf("world %d: %v\n%s", i, err, world)
		return
	}
	var stop []func()
	for _, s := range world.serve {
		if f, err := listen(rooms[strings.Fields(s)[0]], s); err != nil {
			t.Errorf("world %d: %v", i, err)
		} else {
			stop = append(stop, f)
		}
	}
	defer func() {
		for _, f := range stop {
			f()
		}
		for _, h := range rooms {
			_ = h.Close()
		}
	}()
	if err := settle(ctx, w, world.names()); err != nil {
		t.Errorf("world %d: %v", i, err)
		return
	}
	for _, s := range world.shots {
		q := world.question(s)
		v, err := w.Why(ctx, q)
		if err != nil {
			t.Errorf("world %d: %s -> %s: %v\n%s", i, s.src, q.Destination, err, world)
			continue
		}
		if loud {
			t.Logf("%s -> %s size %d: %s\n%s", s.src, q.Destination, s.size, short(v), walk(v))
		}
		ok, detail := fire(ctx, rooms[s.src], s, 900*time.Millisecond)
		if !ok && v.Reachable == reach.Yes { // a busy machine, or a first packet that was lost
			ok, detail = fire(ctx, rooms[s.src], s, 4*time.Second)
		}
		if !ok && v.Reachable == reach.Yes { // a neighbour that was given up on is asked for anew
			ok, detail = fire(ctx, rooms[s.src], s, 10*time.Second)
		}
		switch {
		case v.Reachable == reach.Unknown:
			n.unknown.Add(1)
			t.Logf("world %d: %s -> %s: unknown: %+v (%s)", i, s.src, q.Destination, v.Unknowns, strings.Join(world.noted, "; "))
			continue
		case ok != (v.Reachable == reach.Yes):
			n.disagree.Add(1)
			t.Errorf("world %d: %s -> %s size %d: why says %s, the kernel says %v (%s)\n%s\n%s", i, s.src, q.Destination, s.size, short(v), ok, detail, walk(v), world)
			continue
		}
		n.agree.Add(1)
		again, err := w.Why(ctx, q)
		if err == nil && !sameVerdict(v, again) {
			again, err = world.onceMore(ctx, w, s, rooms, v)
		}
		if err != nil || !sameVerdict(v, again) {
			t.Errorf("world %d: %s -> %s size %d: cold %s, warm %s (%v)\n%s\n%s", i, s.src, q.Destination, s.size, short(v), short(again), err, walk(again), world)
		}
	}
}

func sameVerdict(a, b reach.Verdict) bool { return a.Reachable == b.Reachable && code(a) == code(b) }

// onceMore forgets all neighbours, asks, sends the packet and asks again: between the first two questions the world may have learned
// something of its own accord, from what IPv6 sends now and then. When it does not start as it did the first time, that answer is
// returned.
func (w *world) onceMore(ctx context.Context, warrens *warren.Warren, s shot, rooms map[string]*netns.Handle, first reach.Verdict) (reach.Verdict, error) {
	for _, r := range w.rooms {
		if err := batch(ctx, []string{"neigh flush all"}, "ip", "-n", w.prefix+r, "-batch", "-"); err != nil {
			return reach.Verdict{}, err
		}
	}
	v, err := warrens.Why(ctx, w.question(s))
	if err != nil || !sameVerdict(v, first) {
		return v, err
	}
	fire(ctx, rooms[s.src], s, 900*time.Millisecond)
	return warrens.Why(ctx, w.question(s))
}

func (w *world) question(s shot) warren.WhyQuery {
	dst := s.dst.String()
	if s.port != 0 {
		dst = netip.AddrPortFrom(s.dst, s.port).String() + "/" + s.proto
	}
	return warren.WhyQuery{Source: w.prefix + s.src, Destination: dst, Size: s.size}
}

// raise builds the world: names, cables, what is in each room, rules.
func (w *world) raise(ctx context.Context) (map[string]*netns.Handle, error) {
	var lines []string
	for _, n := range w.names() {
		lines = append(lines, "netns add "+n)
	}
	if err := batch(ctx, lines, "ip", "-batch", "-"); err != nil {
		return nil, err
	}
	rooms := map[string]*netns.Handle{}
	for _, r := range w.rooms {
		h, err := netns.Open(ctx, w.prefix+r)
		if err != nil {
			return rooms, err
		}
		rooms[r] = h
		for _, kv := range []string{
			"net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/default/rp_filter=0", "net/ipv6/conf/default/accept_dad=0", "net/ipv6/conf/default/dad_transmits=0",
			"net/bridge/bridge-nf-call-iptables=0", "net/bridge/bridge-nf-call-ip6tables=0", "net/bridge/bridge-nf-call-arptables=0",
			"net/ipv4/icmp_ratelimit=0",
		} {
			if err := setSysctl(h, kv); err != nil {
				return rooms, err
			}
		}
	}
	if err := batch(ctx, w.cables, "ip", "-batch", "-"); err != nil {
		return rooms, err
	}
	for _, r := range w.rooms {
		_ = batch(ctx, w.ip[r], "ip", "-n", w.prefix+r, "-force", "-batch", "-") // deltas may contradict each other
		for _, kv := range w.sys[r] {
			_ = setSysctl(rooms[r], kv)
		}
	}
	for _, r := range w.rooms {
		_ = batch(ctx, w.bridge[r], "bridge", "-n", w.prefix+r, "-force", "-batch", "-")
		for _, l := range w.nft[r] {
			if err := batch(ctx, []string{l}, "ip", "netns", "exec", w.prefix+r, "nft", "-f", "-"); err != nil {
				return rooms, fmt.Errorf("%w\n%s", err, l)
			}
		}
		for _, l := range w.xt[r] {
			if err := batch(ctx, nil, "ip", append([]string{"netns", "exec", w.prefix + r, "iptables-legacy"}, strings.Fields(l)...)...); err != nil {
				return rooms, fmt.Errorf("%w\n%s", err, l)
			}
		}
	}
	return rooms, nil
}

func setSysctl(h *netns.Handle, kv string) error {
	k, v, _ := strings.Cut(kv, "=")
	return h.SetSysctl(k, v)
}

func (w *world) raze() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var lines []string
	for _, n := range w.names() {
		lines = append(lines, "netns del "+n)
	}
	_ = batch(ctx, lines, "ip", "-force", "-batch", "-")
}

func (w *world) names() []string {
	var names []string
	for _, r := range w.rooms {
		names = append(names, w.prefix+r)
	}
	return names
}

func batch(ctx context.Context, lines []string, name string, args ...string) error {
	if len(lines) == 0 && args[len(args)-1] == "-" {
		return nil
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out.String())
	}
	return nil
}
