package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warren/internal/kerneltest"
	"warren/internal/lab"
)

func runDir(t *testing.T) lab.RunDir {
	t.Helper()
	return lab.RunDir{Path: filepath.Join(t.TempDir(), "warren")}
}

// Fifty that lock, and every other of them removes the directory: never two at a time, and at the end nothing is left.
func TestLockFiftyAtOnce(t *testing.T) {
	kerneltest.LeakCheck(t)
	r := runDir(t)
	var inside atomic.Int32
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for range 5 {
				l, err := r.Lock(t.Context(), "classic", lab.LockOptions{Create: true})
				if err != nil {
					t.Errorf("lock: %v", err)
					return
				}
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				marker := filepath.Join(l.Dir().Path(), "mine")
				if err := os.WriteFile(marker, nil, 0o600); err != nil {
					t.Errorf("the directory is not there under its lock: %v", err)
				}
				inside.Add(-1)
				if i%2 == 0 {
					if err := l.Remove(); err != nil {
						t.Errorf("remove: %v", err)
					}
				}
				l.Unlock()
			}
		})
	}
	all.Wait()
	l, err := r.Lock(t.Context(), "classic", lab.LockOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Remove(); err != nil {
		t.Fatal(err)
	}
	if labs, err := r.Labs(); err != nil || len(labs) != 0 {
		t.Errorf("labs: %q, %v", labs, err)
	}
}

func TestLockSaysWhoHoldsIt(t *testing.T) {
	r := runDir(t)
	l, err := r.Lock(t.Context(), "classic", lab.LockOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	_, err = r.Lock(t.Context(), "classic", lab.LockOptions{NoWait: true})
	if !errors.Is(err, lab.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("lab classic is locked by PID %d (lab.test", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	var told lab.Holder
	_, err = r.Lock(ctx, "classic", lab.LockOptions{Waiting: func(h lab.Holder) { told = h }})
	if !errors.Is(err, lab.ErrLocked) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if told.PID != os.Getpid() || told.Since.IsZero() || time.Since(told.Since) > time.Hour || time.Until(told.Since) > time.Second {
		t.Errorf("told %+v", told)
	}
	if _, err := r.Lock(t.Context(), "other", lab.LockOptions{}); !errors.Is(err, lab.ErrNoLab) {
		t.Errorf("missing lab: %v", err)
	}
	for _, name := range []string{"", "..", "../../etc/x", "a/b", "a.b", strings.Repeat("x", 64)} {
		if l, err := r.Lock(t.Context(), name, lab.LockOptions{Create: true}); err == nil {
			l.Unlock()
			t.Errorf("name %q was accepted", name)
		}
	}
}

func TestLockOfAKilledProcessIsFree(t *testing.T) {
	kerneltest.Need(t, "exec:flock")
	kerneltest.LeakCheck(t) // what flock started ends later than flock
	r := runDir(t)
	l, err := r.Lock(t.Context(), "classic", lab.LockOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	path := l.Dir().Path()
	l.Unlock()
	l.Unlock()
	cmd := exec.CommandContext(t.Context(), "flock", path, "sh", "-c", "echo locked; exec cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if s, err := bufio.NewReader(out).ReadString('\n'); err != nil || s != "locked\n" {
		t.Fatalf("flock: %q, %v", s, err)
	}
	if h := lab.FindHolder(path); h.PID != cmd.Process.Pid {
		t.Errorf("holder: %+v, want %d", h, cmd.Process.Pid)
	}
	if _, err := r.Lock(t.Context(), "classic", lab.LockOptions{NoWait: true}); !errors.Is(err, lab.ErrLocked) {
		t.Errorf("got %v", err)
	}
	_ = cmd.Process.Kill()
	_ = in.Close()
	_ = cmd.Wait()
	l, err = r.Lock(t.Context(), "classic", lab.LockOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.Unlock()
}

func TestHostLock(t *testing.T) {
	r := runDir(t)
	l, err := r.LockHost(t.Context(), lab.LockOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.LockHost(t.Context(), lab.LockOptions{NoWait: true}); !errors.Is(err, lab.ErrLocked) || !strings.Contains(err.Error(), "the host side") {
		t.Errorf("got %v", err)
	}
	if err := l.Remove(); err == nil {
		t.Error("the run directory was removed as if it were a lab")
	}
	if err := r.RemoveIfEmpty(); err != nil {
		t.Error(err)
	}
	l.Unlock()
	if _, err := os.Stat(r.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the run directory is left: %v", err)
	}
}
