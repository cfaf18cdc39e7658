package reachtest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/reach"
)

// A mendable is a case whose last answer may offer commands that help.
type mendable struct {
	scene
	mends bool
}

// TestWalks is TestInventions for cases of which the offered commands are run, too.
func TestWalks(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "vxlan", "macvlan", "nftables", "iptables-legacy", "ipv6", "bridge-nf", "exec:ip", "exec:nft", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	only := os.Getenv("WARREN_REACH_SCENE")
	turn := make(chan struct{}, inventionsWide)
	var wait sync.WaitGroup
	for i, s := range walks() {
		if only != "" && !strings.HasPrefix(s.id, only) {
			continue
		}
		turn <- struct{}{}
		wait.Go(func() {
			defer func() { <-turn }()
			v := invention{scene: s.scene, w: w, prefix: fmt.Sprintf("q%d", i)}
			if s.mends {
				v.last = v.mend
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

// mendsMost bounds how many obstacles stand behind one another.
const mendsMost = 6

// mend runs what the answer to the scene's last question offers first, until the answer is yes, and sends the packet.
func (v *invention) mend(ctx context.Context) error {
	q := v.scene.ask[len(v.scene.ask)-1]
	ran := map[string]bool{}
	for range mendsMost {
		got, err := v.raw(ctx, q)
		if err != nil {
			return err
		}
		if got.Reachable == reach.Yes {
			q.want, q.blind = reach.Yes, false
			return v.question(ctx, q)
		}
		cmd := ""
		if got.Reason != nil {
			for _, c := range got.Reason.Fix {
				if cmd == "" && !ran[c] && !strings.HasPrefix(c, "#") && !strings.HasPrefix(c, "warren ") {
					cmd = c
				}
			}
		}
		if cmd == "" {
			return fmt.Errorf("%s -> %s: %s, and nothing more to do\n%s", q.src, q.dst, short(got), walk(got))
		}
		ran[cmd] = true
		run, cancel := context.WithTimeout(ctx, time.Minute)
		out, err := exec.CommandContext(run, "sh", "-c", cmd).CombinedOutput()
		cancel()
		if err != nil {
			return fmt.Errorf("%s -> %s: %s offers %q: %w\n%s", q.src, q.dst, short(got), cmd, err, out)
		}
		names, err := v.names()
		if err == nil {
			err = settle(ctx, v.w, names)
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%s -> %s: %d commands did not help: %v", q.src, q.dst, mendsMost, ran)
}
