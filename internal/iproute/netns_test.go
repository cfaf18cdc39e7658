package iproute_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/netns"
)

// TestNetnsVerbs runs each line with iproute2 and with us, one after the other, on the same names.
func TestNetnsVerbs(t *testing.T) {
	lines := []string{
		"ip netns add red", "ip netns add red", "ip netns add", "ip netns add a/b", "ip netns add .", "ip netns a blue", "ip netns",
		"ip netns set red 7", "ip netns set red 8", "ip netns set blue -1", "ip netns set blue auto", "ip netns set nobody 3", "ip netns set blue",
		"ip netns ls", "ip netns lis", "ip -j netns", "ip -j -p netns list", "ip net l",
		"ip netns list-id", "ip -j netns list-id", "ip netns list-id nsid 7", "ip netns list-id nsid 99", "ip netns list-id target-nsid 7",
		"ip netns list-id nsid x", "ip netns list-id what",
		"ip netns identify", "ip netns identify 1", "ip netns identify x", "ip netns identify 1 2", "ip netns identify 999999",
		"ip netns pids red", "ip netns pids red x", "ip netns pids nobody", "ip netns pids",
		"ip netns attach self 1", "ip netns attach self x", "ip netns attach other 0", "ip netns attach other 9999999", "ip netns attach other",
		"ip netns identify", "ip netns exec red true", "ip netns exec red false", "ip netns exec red sh -c 'exit'", "ip netns exec red no-such-program",
		"ip netns exec nobody true", "ip netns exec red", "ip netns exec", "ip -n red netns list-id", "ip -n nobody netns", "ip -n a/b netns",
		"ip netns nonsense", "ip nonsense", "ip", "ip -nonsense", "ip netns help", "ip -all netns exec true", "ip -all netns exec echo hello", "ip -all netns exec false",
		"ip netns delete red", "ip netns delete red", "ip netns del", "ip netns d blue extra", "ip -all netns delete", "ip netns", "ip -j netns",
	}
	program := self(t)
	var got, want []result
	for _, line := range lines {
		want = append(want, theirs(t, "", strings.Fields(line)...))
	}
	// The ids of what was deleted are free only when it is gone.
	if err := netns.WaitGone(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		got = append(got, run(t, program, strings.Fields(line)...))
	}
	for i, line := range lines {
		compare(t, line, got[i], want[i])
	}
}

// compare compares what scripts see: the text of a refusal is for people.
func compare(t *testing.T, line string, got, want result) {
	t.Helper()
	if d := cmp.Diff(result{want.Code, want.Out, ""}, result{got.Code, got.Out, ""}); d != "" {
		t.Errorf("%s: iproute2 (-), we (+):\n%s\nthey said: %s\nwe said: %s", line, d, want.Err, got.Err)
	}
}

// TestNoNameAtAll: a script whose variable is empty must not work on its own namespace.
func TestNoNameAtAll(t *testing.T) {
	for _, line := range [][]string{{"ip", "-n", "", "link"}, {"ip", "-netns", "", "link"}, {"bridge", "-n", "", "link"}, {"ip", "netns", "exec", "", "true"}} {
		compare(t, strings.Join(line, " "), ours(t, "", line...), theirs(t, "", line...))
	}
	if r := ours(t, "", "warren", "-n", "", "link"); r.Code == 0 || r.Out != "" {
		t.Errorf("under our own name: %+v", r)
	}
}
