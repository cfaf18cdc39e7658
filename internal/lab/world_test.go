package lab_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"warren/internal/lab"
	"warren/netns"
)

// ip runs ip(8), the witness that namespaces are made by another hand than ours.
func ip(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.CommandContext(context.Background(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// warm: ip makes /run/netns a mount with the first namespace, and leaves it. Call it before a leak check.
func warm(t *testing.T) {
	t.Helper()
	ip(t, "netns add warm")
	ip(t, "netns del warm")
}

func namespace(t *testing.T, name string) *netns.Handle {
	t.Helper()
	ip(t, "netns add "+name)
	t.Cleanup(func() { ip(t, "netns del "+name) })
	ip(t, "-n "+name+" link set lo up")
	h, err := netns.OpenPath("/run/netns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// lines reads a log: "ID TEXT".
func lines(t *testing.T, d lab.Dir, q lab.LogQuery) []string {
	t.Helper()
	var out []string
	err := d.Logs(t.Context(), q, func(l lab.LogLine) error {
		out = append(out, l.ID+" "+l.Text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
