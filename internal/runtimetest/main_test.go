package runtimetest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// TestMain runs the tests in a world of their own. When it has ended, the machine's network has to be as it was, and no control
// groups are left, also when the tests were killed.
func TestMain(m *testing.M) {
	var before []string
	if os.Getenv(runEnv) == "" {
		if err := os.Setenv(runEnv, strconv.Itoa(os.Getpid())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		before = machine()
	}
	kerneltest.EnterThen(func() error {
		if err := sweep(); err != nil {
			return err
		}
		if after := machine(); !slices.Equal(before, after) {
			return fmt.Errorf("the machine's own network was touched: before %q, after %q", before, after)
		}
		return nil
	})
	// The first name that anybody makes turns the directory of names into a mount of its own, which stays.
	if out, err := exec.CommandContext(context.Background(), "sh", "-c", "ip netns add first && ip netns del first").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "prepare the world: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// machine tells what an engine would leave in the network namespace that this process is in: forwarding, its bridges and its
// rules. All that others change there meanwhile does not matter.
func machine() []string {
	out := []string{}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward"); err == nil {
		out = append(out, "ip_forward "+strings.TrimSpace(string(b)))
	}
	for _, command := range []string{"ip -o link", "nft list chains", "nft list tables", "iptables-legacy-save"} {
		words := strings.Fields(command)
		b, err := exec.CommandContext(context.Background(), words[0], words[1:]...).Output()
		if err != nil {
			continue // the tests that need it say so
		}
		for word := range strings.FieldsSeq(string(b)) {
			if slices.ContainsFunc([]string{"DOCKER", "docker", "podman", "cni", "CNI", "NETAVARK"}, func(s string) bool { return strings.HasPrefix(word, s) }) {
				out = append(out, words[0]+" "+strings.Trim(word, ":{"))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
