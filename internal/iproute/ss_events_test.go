package iproute_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/iproute"
	"warren/internal/kerneltest"
	"warren/netns"
)

// listener opens a TCP listener in a namespace.
func listener(t *testing.T, h *netns.Handle, port int) int {
	t.Helper()
	fd, err := h.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 5); err != nil {
		t.Fatal(err)
	}
	return fd
}

// ended makes a namespace for sockets.
func ended(t *testing.T, name string) *netns.Handle {
	t.Helper()
	leakCheck(t)
	twin(t, name)
	h, err := netns.OpenPath(netns.Dir + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Close()
		if err := netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+name); err != nil {
			t.Error(err)
		}
	})
	return h
}

// TestSSKill ends sockets with both; the kernel may be built without it, and then neither does.
func TestSSKill(t *testing.T) {
	h := ended(t, "killed")
	for _, port := range []int{7001, 7002} {
		fd := listener(t, h, port)
		t.Cleanup(func() { unix.Close(fd) })
	}
	want := theirs(t, "", "ss", "-N", "killed", "-KHtln", "sport = 7001")
	got := ours(t, "", "ss", "-N", "killed", "-KHtln", "sport = 7002")
	got.Out = strings.ReplaceAll(got.Out, "7002", "7001")
	if got.Code != want.Code || got.Out != want.Out {
		t.Errorf("ended: got %+v, want %+v", got, want)
	}
	if want.Out == "" {
		return
	}
	if r := theirs(t, "", "ss", "-N", "killed", "-Htln"); r.Out != "" {
		t.Errorf("still there: %s", r.Out)
	}
	got, want = ours(t, "", "ss", "-N", "killed", "-Kt"), theirs(t, "", "ss", "-N", "killed", "-Kt")
	if got.Code != want.Code || got.Out != want.Out {
		t.Errorf("nothing to end: got %+v, want %+v", got, want)
	}
}

// A screen is written by one goroutine and read by another.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// TestSSFollow: -E tells of a socket as soon as it has ended, and ends when it is told to.
func TestSSFollow(t *testing.T) {
	h := ended(t, "followed")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out, errs screen
	done := make(chan int)
	go func() {
		done <- iproute.Main([]string{"-N", "followed", "-tnE"}, iproute.SS, iproute.Stdio{In: strings.NewReader(""), Out: &out, Err: &errs}, iproute.Deps{Context: ctx})
	}()
	kerneltest.Eventually(t, time.Minute, func() error {
		unix.Close(listener(t, h, 7003))
		if !strings.Contains(out.String(), ":7003") {
			return fmt.Errorf("nothing is told: %q %q", out.String(), errs.String())
		}
		return nil
	})
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	if lines := strings.Split(out.String(), "\n"); !strings.HasPrefix(lines[0], "State") || !strings.HasPrefix(lines[1], "UNCONN") {
		t.Errorf("got %q", out.String())
	}
	if r := ours(t, "", "ss", "-xE"); r.Code != 255 {
		t.Errorf("events that there are not: %+v", r)
	}
}

// TestSSRecord: what -D recorded is shown by both.
func TestSSRecord(t *testing.T) {
	h := ended(t, "recorded")
	fd := listener(t, h, 7004)
	defer unix.Close(fd)
	file := filepath.Join(t.TempDir(), "sockets")
	if r := ours(t, "", "ss", "-N", "recorded", "-tlnD", file); r.Code != 0 || r.Out != "" {
		t.Fatalf("recording: %+v", r)
	}
	t.Setenv("TCPDIAG_FILE", file)
	for _, line := range []string{"ss -tln", "ss -Htn", "ss -tlne", "ss -tn sport = 7004", "ss -tn sport = 1"} {
		argv := strings.Fields(line)
		got, want := ours(t, "", argv...), theirs(t, "", argv...)
		if got.Code != want.Code || got.Out != want.Out {
			t.Errorf("%s: got %+v, want %+v", line, got, want)
		}
	}
	if r := ours(t, "", "ss", "-tn", "sport", "=", "7004"); !strings.Contains(r.Out, ":7004") {
		t.Errorf("the recorded socket is not shown: %+v", r)
	}
	t.Setenv("TCPDIAG_FILE", filepath.Join(t.TempDir(), "none"))
	if r := ours(t, "", "ss", "-tn"); !strings.Contains(r.Err, "TCPDIAG_FILE") {
		t.Errorf("without a file: %+v", r)
	}
}
