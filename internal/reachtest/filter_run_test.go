package reachtest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/reach"
)

// A filterScene is a scene above layer 3.
type filterScene struct {
	scene
	// mend: what every reason offers first is done, until the packet arrives.
	mend bool
}

// TestFilterScenes is TestInventions for rules, NAT, bridges' filters and sockets. Where a scene says so, the fixes are tried, too.
func TestFilterScenes(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "nftables", "iptables-legacy", "ipv6", "bridge-nf", "exec:ip", "exec:nft", "exec:iptables-nft", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	only := os.Getenv("WARREN_REACH_SCENE")
	turn := make(chan struct{}, inventionsWide)
	var wait sync.WaitGroup
	for i, s := range slices.Concat(ruleScenes(), xtScenes(), natScenes(), bridgeScenes()) {
		if only != "" && !strings.HasPrefix(s.id, only) {
			continue
		}
		turn <- struct{}{}
		wait.Go(func() {
			defer func() { <-turn }()
			v := invention{scene: s.scene, w: w, prefix: fmt.Sprintf("f%d", i)}
			if s.mend {
				v.after = v.mended
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

// mended runs the first command of the first reason, again and again, until there is none. The packet must arrive then.
func (v *invention) mended(ctx context.Context, q question) error {
	const most = 5
	for range most {
		got, err := v.w.Why(ctx, warren.WhyQuery{Source: v.named(q.src), Destination: q.dst, Size: q.size})
		switch {
		case err != nil:
			return err
		case got.Reachable == reach.Yes:
			q.want = "yes"
			return v.question(ctx, q)
		case got.Reason == nil:
			return nil
		case len(got.Reason.Fix) == 0 || strings.HasPrefix(got.Reason.Fix[0], "#"):
			return fmt.Errorf("%s -> %s: no command mends %s\n%s", q.src, q.dst, short(got), walk(got))
		}
		line := got.Reason.Fix[0]
		if out, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput(); err != nil {
			return fmt.Errorf("%s -> %s: %s: %w\n%s", q.src, q.dst, line, err, out)
		}
	}
	return fmt.Errorf("%s -> %s: %d fixes do not help", q.src, q.dst, most)
}

// served lists listeners of a room on all its IPv4 addresses: "tcp 80", "udp 53".
func served(room string, list ...string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		proto, port, _ := strings.Cut(s, " ")
		out[i] = room + " " + proto + " 0.0.0.0:" + port
	}
	return out
}

// asked are questions from one room: "10.0.2.2:80 yes", "10.0.2.2 request ~r filter-drop".
func asked(src string, list ...string) []question {
	out := make([]question, len(list))
	for i, s := range list {
		dst, want, _ := strings.Cut(s, " ")
		out[i] = question{src: src, dst: dst, want: want, blind: want == "unknown"}
	}
	return out
}
