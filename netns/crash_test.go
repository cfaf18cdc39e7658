package netns_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/netns"
)

// plant makes a file as a killed process leaves it.
func plant(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestHalfMadeNamesAreRepaired(t *testing.T) {
	prepare(t)
	for _, tt := range []struct {
		name string
		text string
		wait bool // for the age that tells it from a name in the making
	}{
		{"ours", "warren\n", false},
		{"of-iproute2", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := netns.Dir + "/" + tt.name
			plant(t, path, tt.text, 0)
			list, err := netns.List("")
			if diff := cmp.Diff([]netns.Entry{{Name: tt.name, Path: path, Stale: true}}, list); diff != "" || err != nil {
				t.Errorf("list: %v (-want +got):\n%s", err, diff)
			}
			if _, err := netns.Open(t.Context(), tt.name); !errors.Is(err, netns.ErrNotNamespace) {
				t.Errorf("open: %v, want ErrNotNamespace", err)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			var took time.Duration
			for i := range 10 { // a busy machine may keep us waiting, but not each time
				name := tt.name + strconv.Itoa(i)
				plant(t, netns.Dir+"/"+name, tt.text, 0)
				start := time.Now()
				h := create(t, name, nil)
				took = time.Since(start)
				if got := inode(t, netns.Dir+"/"+name); got != h.Inode() {
					t.Errorf("mounted is %d, the handle has %d", got, h.Inode())
				}
				if tt.wait == (took > 1900*time.Millisecond) {
					return
				}
			}
			t.Errorf("repair took %v; waited for its age: want %v", took, tt.wait)
		})
	}
}

// A name that an `ip netns add` is making at this instant is not stolen: it makes the file, and mounts a moment later.
func TestForeignNameInTheMakingIsNotStolen(t *testing.T) {
	prepare(t)
	path := netns.Dir + "/slow"
	plant(t, path, "", 0)
	result := make(chan error)
	go func() {
		_, err := netns.Create(context.Background(), path, nil)
		result <- err
	}()
	scratch := create(t, "scratch", nil)
	if err := scratch.Do(func() error { return unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, "") }); err != nil {
		t.Fatal(err)
	}
	if err := <-result; !errors.Is(err, netns.ErrExist) {
		t.Errorf("error %v, want ErrExist", err)
	}
	if got := inode(t, path); got != scratch.Inode() {
		t.Errorf("mounted is %d, want the foreign %d", got, scratch.Inode())
	}
	if err := netns.Delete(t.Context(), path); err != nil {
		t.Error(err)
	}
}

// forward leaves a trace in a namespace.
func forward(in *netns.Inside) error { return in.SetSysctl("net/ipv4/ip_forward", "1") }

// playChurn creates and deletes names for ever.
func playChurn(args []string) int {
	for {
		for _, path := range args {
			if err := netns.Delete(context.Background(), path); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		for _, path := range args {
			h, err := netns.Create(context.Background(), path, forward)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			h.Close()
		}
	}
}

func TestKilledAtAnyMoment(t *testing.T) {
	prepare(t)
	paths := []string{netns.Dir + "/k1", netns.Dir + "/k2", netns.Dir + "/k3"}
	for round := range 100 {
		cmd := roleCommand(t.Context(), "churn", paths...)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The moment is random on purpose: this is not a wait for anything.
		<-time.After(5*time.Millisecond + rand.N(5*time.Millisecond))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
		if code := cmd.ProcessState.ExitCode(); code != -1 {
			t.Fatalf("round %d: exit code %d before the kill", round, code)
		}
		start := time.Now()
		for _, path := range paths {
			// A name that was finished is whole; any other can be taken over at once.
			h, err := netns.Create(t.Context(), path, forward)
			if errors.Is(err, netns.ErrExist) {
				h, err = netns.OpenPath(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			if v, err := h.Sysctl("net/ipv4/ip_forward"); err != nil || v != "1" {
				t.Errorf("a name without its setup: ip_forward is %q (%v)", v, err)
			}
			h.Close()
			if n := mountsAt(t, path); n != 1 {
				t.Errorf("%s is mounted %d times", path, n)
			}
			if round%10 == 0 {
				if err := netns.Delete(t.Context(), path); err != nil {
					t.Error(err)
				}
			}
		}
		if took := time.Since(start); took > patience {
			t.Errorf("took %v to take the names over", took)
		}
	}
	for _, path := range paths {
		if err := netns.Delete(t.Context(), path); err != nil {
			t.Error(err)
		}
	}
}
