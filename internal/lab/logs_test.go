package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"warren/internal/kerneltest"
	"warren/internal/lab"
	"warren/netns"
	"warren/state"
)

func TestLogs(t *testing.T) {
	d := newLab(t)
	a, b := sh("n", "a", "echo one; printf two; exit 0"), sh("m", "b", "echo three >&2")
	b.After = []string{"n/a"}
	apply(t, d, a, b)
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if got := lines(t, d, lab.LogQuery{}); !slices.Equal(got, []string{"n/a one", "n/a two", "m/b three"}) && !slices.Equal(got, []string{"n/a one", "m/b three", "n/a two"}) {
			return fmt.Errorf("all: %q", got)
		}
		return nil
	})
	if got := lines(t, d, lab.LogQuery{IDs: []string{"n/a"}, Tail: 1}); !slices.Equal(got, []string{"n/a two"}) {
		t.Errorf("tail: %q", got)
	}
	if got := lines(t, d, lab.LogQuery{Since: time.Now().Add(time.Hour)}); len(got) != 0 {
		t.Errorf("since: %q", got)
	}
}

// Every line arrives once and in order, though the file is renamed many times meanwhile, and the following ends by itself.
func TestFollowedLogsSurviveRotation(t *testing.T) {
	d := newLab(t)
	const n = 3000
	s := sh("n", "main", fmt.Sprintf("i=0; while [ $i -lt %d ]; do echo line $i; i=$((i+1)); done; sleep 0.3", n))
	s.LogBytes = 30000
	if _, err := d.Apply(t.Context(), []lab.Service{s}, lab.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	last, count := -1, 0
	err := d.Logs(t.Context(), lab.LogQuery{Follow: true}, func(l lab.LogLine) error {
		var i int
		if _, err := fmt.Sscanf(l.Text, "line %d", &i); err != nil {
			return err
		}
		if i <= last {
			return fmt.Errorf("line %d after %d", i, last)
		}
		last = i
		count++
		return nil
	})
	if err != nil || last != n-1 {
		t.Errorf("last line %d of %d seen, %v", last, count, err)
	}
	info, err := os.Stat(filepath.Join(d.Path(), "logs", "n.main.log"))
	if err != nil || info.Size() > 31000 {
		t.Errorf("the log has %v bytes, %v", info, err)
	}
}

func TestFollowedLogsEndWithTheContext(t *testing.T) {
	d := newLab(t)
	apply(t, d, sh("n", "main", "echo x; exec sleep 1000"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := d.Logs(ctx, lab.LogQuery{Follow: true}, func(lab.LogLine) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestKillInSparesTheCaller(t *testing.T) {
	h, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	report, err := lab.KillIn(t.Context(), []*netns.Handle{h}, lab.KillOptions{})
	if !errors.Is(err, lab.ErrInside) || !slices.ContainsFunc(report.Spared, func(p state.Process) bool { return p.PID == os.Getpid() }) {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestProxy(t *testing.T) {
	d := newLab(t)
	l, err := net.Listen("tcp", "127.0.0.1:4001") //nolint:noctx // a literal address
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("hello"))
			_ = c.Close()
		}
	}()
	apply(t, d, lab.ProxyService("proxy-4000", "tcp", netip.MustParseAddrPort("[::1]:4000"), netip.MustParseAddrPort("127.0.0.1:4001")))
	c, err := net.Dial("tcp", "[::1]:4000") //nolint:noctx // a literal address
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 16)
	if n, err := c.Read(buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}
