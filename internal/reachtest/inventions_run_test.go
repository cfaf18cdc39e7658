package reachtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/reach"
)

// inventionsWide is how many inventions are tried at a time.
const inventionsWide = 8

// TestInventions is TestScenes for cases that combine features, side by side: "~" in a case stands before the names of its rooms.
func TestInventions(t *testing.T) {
	var list []mendable
	for _, s := range inventions() {
		list = append(list, mendable{scene: s})
	}
	sideBySide(t, "n", list, false)
}

// TestFilterScenes is that for rules, NAT, bridges' filters and sockets.
func TestFilterScenes(t *testing.T) {
	kerneltest.Need(t, "exec:iptables-nft")
	sideBySide(t, "f", slices.Concat(ruleScenes(), xtScenes(), natScenes(), bridgeScenes()), true)
}

// TestWalks is that for decisions on a packet's way.
func TestWalks(t *testing.T) { sideBySide(t, "q", walks(), false) }

// A mendable is a case of which the commands that answers offer may be run: they must help.
type mendable struct {
	scene
	mends bool
}

// sideBySide runs cases in rooms of their own. Of those that mend, the answer to the last question is taken at its word, or to each.
func sideBySide(t *testing.T, prefix string, list []mendable, each bool) {
	t.Helper()
	kerneltest.Need(t, "veth", "bridge", "vxlan", "macvlan", "nftables", "iptables-legacy", "ipv6", "bridge-nf", "exec:ip", "exec:nft", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	only := os.Getenv("WARREN_REACH_SCENE")
	turn := make(chan struct{}, inventionsWide)
	var wait sync.WaitGroup
	for i, s := range list {
		if only != "" && !strings.HasPrefix(s.id, only) {
			continue
		}
		turn <- struct{}{}
		wait.Go(func() {
			defer func() { <-turn }()
			v := invention{scene: s.scene, w: w, prefix: fmt.Sprintf("%s%d", prefix, i)}
			if s.mends {
				v.mends = func(at int) bool { return each || at == len(s.ask)-1 }
			}
			if err := v.run(t); err != nil {
				t.Errorf("%s: %v", s.id, err)
			}
		})
	}
	wait.Wait()
	if err := netns.WaitGone(t.Context()); err != nil {
		t.Error(err)
	}
}

// An invention is one scene in rooms of its own.
type invention struct {
	scene
	w      *warren.Warren
	prefix string
	rooms  map[string]*netns.Handle
	mends  func(at int) bool // which of the questions; nil = none
}

func (v *invention) named(s string) string { return strings.ReplaceAll(s, "~", v.prefix) }

func (v *invention) run(t *testing.T) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	defer v.raze(t)
	script := exec.CommandContext(ctx, "sh", "-c", prelude+"P="+v.prefix+"\n"+v.named(v.build))
	if out, err := script.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	names, err := v.names()
	if err != nil {
		return err
	}
	v.rooms = map[string]*netns.Handle{}
	for _, n := range names {
		h, err := netns.Open(ctx, n)
		if err != nil {
			return err
		}
		defer h.Close()
		v.rooms[n] = h
	}
	if !slices.ContainsFunc(v.scene.ask, func(q question) bool { return strings.HasSuffix(q.want, " address-tentative") }) {
		if err := settle(ctx, v.w, names); err != nil {
			return err
		}
	}
	for _, l := range v.serve {
		l = v.named(l)
		stop, err := listen(v.rooms[strings.Fields(l)[0]], l)
		if err != nil {
			return err
		}
		defer stop()
	}
	var errs []error
	for i, q := range v.scene.ask {
		err := v.question(ctx, q)
		if err == nil && v.mends != nil && v.mends(i) {
			err = v.mend(ctx, q)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// question asks, sends a real packet, and asks again.
func (v *invention) question(ctx context.Context, q question) error {
	first, err := v.why(ctx, q)
	if err != nil || q.blind {
		return err
	}
	d, err := reach.ParseDestination(q.dst)
	if err != nil {
		return err
	}
	s := shot{dst: d.Addr, port: d.Port, size: q.size, proto: map[uint8]string{0: "icmp", 1: "icmp", 6: "tcp", 17: "udp"}[d.Proto]}
	if q.from != "" {
		s.from = netip.MustParseAddr(q.from)
	}
	src := v.rooms[v.named(q.src)]
	ok, detail := fire(ctx, src, s, 600*time.Millisecond)
	if !ok && first.Reachable == reach.Yes {
		ok, detail = fire(ctx, src, s, 5*time.Second) // a busy machine
	}
	if ok != (first.Reachable == reach.Yes) && first.Reachable != reach.Unknown {
		return fmt.Errorf("%s -> %s: why says %s, a real packet says %v (%s)\n%s", q.src, q.dst, first.Reachable, ok, detail, walk(first))
	}
	_, err = v.why(ctx, q)
	return err
}

// raw asks.
func (v *invention) raw(ctx context.Context, q question) (reach.Verdict, error) {
	wq := warren.WhyQuery{Source: v.named(q.src), Destination: q.dst, Mark: q.mark, Size: q.size, TTL: q.ttl}
	if q.from != "" {
		wq.From = netip.MustParseAddr(q.from)
	}
	return v.w.Why(ctx, wq)
}

// why asks, and compares with what is expected.
func (v *invention) why(ctx context.Context, q question) (reach.Verdict, error) {
	got, err := v.raw(ctx, q)
	switch {
	case err != nil:
		return got, fmt.Errorf("%s -> %s: %w", q.src, q.dst, err)
	case short(got) != v.named(q.want):
		return got, fmt.Errorf("%s -> %s (size %d):\n got %s\nwant %s\n%s", q.src, q.dst, q.size, strings.ReplaceAll(short(got), v.prefix, "~"), q.want, walk(got))
	case q.object != "" && !slices.ContainsFunc(got.Unknowns, func(u reach.Doubt) bool { return u.Object == v.named(q.object) }):
		return got, fmt.Errorf("%s -> %s: no unknown names %s: %+v", q.src, q.dst, q.object, got.Unknowns)
	case q.also != "" && !slices.ContainsFunc(got.Also, func(r reach.Reason) bool { return string(r.Code) == q.also }):
		return got, fmt.Errorf("%s -> %s: %s is not among also: %+v", q.src, q.dst, q.also, got.Also)
	}
	return got, nil
}

// names are those of the scene's rooms.
func (v *invention) names() ([]string, error) {
	entries, err := os.ReadDir("/run/netns")
	var list []string
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), v.prefix); ok && rest != "" && (rest[0] < '0' || rest[0] > '9') {
			list = append(list, e.Name())
		}
	}
	return list, err
}

func (v *invention) raze(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	names, err := v.names()
	if err != nil {
		t.Error(err)
	}
	lines := make([]string, len(names))
	for i, n := range names {
		lines[i] = "netns del " + n
	}
	if err := batch(ctx, lines, "ip", "-batch", "-"); err != nil {
		t.Errorf("%s: %v", v.id, err)
	}
}
