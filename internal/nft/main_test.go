package nft_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/netns"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// world is a connection to nftables in the test's own namespace, whose rules are gone after the test.
func world(t testing.TB) *nl.Conn {
	t.Helper()
	kerneltest.Need(t, "nftables", "exec:nft")
	h, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.Netlink(unix.NETLINK_NETFILTER)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		witness(t, "", "flush", "ruleset")
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	witness(t, "", "flush", "ruleset")
	return c
}

// witness runs the real nft and returns what it prints.
func witness(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("nft", args...) //nolint:noctx // ends by itself; runs in clean-ups too
	cmd.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("nft %s: %v\n%s\n%s", strings.Join(args, " "), err, errOut.String(), stdin)
	}
	return out.String()
}
