package iproute_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/iproute"
)

// TestVRFFolder is about where processes of a routing domain are.
func TestVRFFolder(t *testing.T) {
	const old = "3:cpuset:/\n0::"
	for _, c := range []struct{ name, cgroup, space, domain, want string }{
		{"root", old + "/\n", "", "blue", "/m/vrf/blue"},
		{"slice", old + "/user.slice/a.scope\n", "", "blue", "/m/user.slice/a.scope/vrf/blue"},
		{"default", old + "/user.slice\n", "", "default", "/m/user.slice/vrf"},
		{"other", old + "/user.slice/vrf/red\n", "", "blue", "/m/user.slice/vrf/blue"},
		{"named", old + "/\n", "room", "blue", "/m/room-ns/vrf/blue"},
		{"inside", old + "/room-ns/vrf/red\n", "room", "blue", "/m/room-ns/vrf/blue"},
		{"elsewhere", old + "/room-ns/vrf/red\n", "hall", "blue", "/m/room-ns/hall-ns/vrf/blue"},
		{"v1", "3:cpuset:/x\n", "", "blue", "/m/vrf/blue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, iproute.VRFFolder("/m", c.cgroup, c.space, c.domain)); d != "" {
				t.Error(d)
			}
		})
	}
	mounts := "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
	if got := iproute.UnifiedMount(mounts); got != "/sys/fs/cgroup/unified" {
		t.Errorf("the unified hierarchy is at %q", got)
	}
}

// TestVRFBind has the kernel bind a process's sockets. It needs a folder of cgroups of one's own.
func TestVRFBind(t *testing.T) {
	folder := os.Getenv("WARREN_CGROUP")
	if folder == "" {
		folder = t.TempDir() // which is none
	}
	refusal := iproute.BindSockets(folder, 1)
	if os.Getenv("WARREN_CGROUP") == "" {
		if !strings.HasPrefix(refusal, "Failed to ") {
			t.Errorf("no refusal: %q", refusal)
		}
		return
	}
	if refusal != "" {
		t.Fatal(refusal)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "echo $$ > "+folder+"/cgroup.procs; exec python3 -c 'import socket; print(socket.socket().getsockopt(1, 25, 16))'").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "lo") {
		t.Fatalf("%v: %s", err, out)
	}
}
