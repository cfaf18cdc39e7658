package iproute_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warren/internal/iproute"
	"warren/internal/kerneltest"
)

// A keeper keeps what is written, for readers in other goroutines.
type keeper struct {
	mu sync.Mutex
	b  strings.Builder
}

func (k *keeper) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.Write(b)
}

func (k *keeper) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.String()
}

// TestXfrmMonitor has iproute2 and us follow the same changes.
func TestXfrmMonitor(t *testing.T) {
	leakCheck(t)
	const name = "xfrm-told"
	waiting(t, name)
	ctx, cancel := context.WithCancel(t.Context())
	var theirs, ours keeper
	cmd := exec.CommandContext(ctx, "ip", "-n", name, "xfrm", "monitor")
	cmd.Stdout = &theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan int, 1)
	go func() {
		stdio := iproute.Stdio{In: strings.NewReader(""), Out: &ours, Err: &ours}
		done <- iproute.Main([]string{"-n", name, "xfrm", "monitor"}, iproute.IP, stdio, iproute.Deps{Context: ctx})
	}()
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
		if code := <-done; code != 0 {
			t.Errorf("our monitor ended with %d", code)
		}
	}()
	change := func(line string) {
		t.Helper()
		if r := run(t, self(t), append([]string{"ip", "-n", name}, strings.Fields(line)...)...); r.Code != 0 {
			t.Fatalf("%s: %+v", line, r)
		}
	}
	// Both are there once both tell of something.
	const patience = time.Minute
	kerneltest.Eventually(t, patience, func() error {
		change("xfrm policy update dir out src 9.9.9.9 dst 8.8.8.8")
		if theirs.String() == "" || ours.String() == "" {
			return errors.New("a monitor is silent")
		}
		return nil
	})
	const first = "src 10.0.0.0/24 dst 10.1.0.0/24"
	for _, line := range []string{
		"xfrm policy add dir out " + first + " tmpl src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel",
		"xfrm policy update dir out " + first + " priority 7",
		"xfrm policy delete dir out " + first,
		"xfrm state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel min 5 max 5",
		"xfrm state flush",
		"xfrm policy flush ptype sub",
		"xfrm policy add dir in src fd00::/64 dst fd01::/64 action block ptype sub",
		"xfrm policy flush ptype sub",
	} {
		change(line)
	}
	from := func(k *keeper) string {
		_, after, _ := strings.Cut(k.String(), first)
		return clocks.ReplaceAllString(after, "TIME")
	}
	const last = "Flushed policy ptype sub"
	kerneltest.Eventually(t, patience, func() error {
		if !strings.Contains(from(&theirs), last) {
			return errors.New("iproute2's monitor is behind")
		}
		if d := cmp.Diff(from(&theirs), from(&ours)); d != "" {
			return errors.New(d)
		}
		return nil
	})
}
