package iproute_test

import (
	"os"
	"strings"
	"testing"

	"warren/netns"
)

// TestOwnName: what is better under our own name than as ip. A peer in another namespace is named, in JSON too; -all goes on
// after a failure and tells of it.
func TestOwnName(t *testing.T) {
	leakCheck(t)
	for _, name := range []string{"near", "far"} {
		twin(t, name)
	}
	ok := func(line string) result {
		t.Helper()
		r := own(t, line)
		if r.Code != 0 {
			t.Fatalf("%s: %+v", line, r)
		}
		return r
	}
	ok("-n near link add v0 type veth peer name v1 netns far")
	if r := ok("-n near -j link show v0"); !strings.Contains(r.Out, `"link_netns":"far"`) {
		t.Errorf("JSON does not name the peer's namespace: %s", r.Out)
	}
	if r := ok("-n near link show v0"); !strings.Contains(r.Out, "link-netns far") {
		t.Errorf("text does not name the peer's namespace: %s", r.Out)
	}
	if r := ours(t, "", "ip", "-n", "near", "-j", "link", "show", "v0"); strings.Contains(r.Out, "link_netns\"") {
		t.Errorf("as ip there is a key that iproute2 does not have: %s", r.Out)
	}

	// A folder among the names cannot be deleted; the names behind it can.
	if err := os.Mkdir(netns.Dir+"/folder", 0o755); err != nil {
		t.Fatal(err)
	}
	r := own(t, "-all netns delete")
	if r.Code != 1 || !strings.Contains(r.Err, "folder") {
		t.Errorf("-all delete with one that cannot go: %+v", r)
	}
	if r := ok("netns"); strings.Contains(r.Out, "near") || strings.Contains(r.Out, "far") {
		t.Errorf("-all delete stopped early: %s", r.Out)
	}
	if err := os.Remove(netns.Dir + "/folder"); err != nil {
		t.Fatal(err)
	}
	if r := own(t, "netns delete nobody --nonsense"); r.Code != 255 || !strings.Contains(r.Err, "--wait, --return") {
		t.Errorf("an option that there is not: %+v", r)
	}
	if err := netns.WaitGone(t.Context()); err != nil {
		t.Fatal(err)
	}
}
