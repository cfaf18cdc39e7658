package netns_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/netns"
)

func TestMountinfo(t *testing.T) {
	text := []byte(`20 1 0:18 / /sys rw - sysfs sysfs rw
22 21 0:20 / /sys/fs/cgroup/x rw - tmpfs tmpfs rw
21 20 0:19 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw
25 20 0:21 / /sys/fs/cgroup-3 rw - tmpfs tmpfs rw
23 20 0:21 / /sys/fs/cgroup2 rw - tmpfs tmpfs rw
24 20 0:22 / /sys/kernel/a\040b rw - tmpfs tmpfs rw
24 20 0:22 / /sys/kernel/a\040b rw - tmpfs twice rw
26 20 0:22 / /system rw - tmpfs tmpfs rw
30 1 0:4 net:[4026532250] /run/netns/a\040b rw shared:9 - nsfs nsfs rw
31 1 0:4 mnt:[4026532251] /run/other rw shared:9 - nsfs nsfs rw
broken
`)
	want := []string{"/sys/fs/cgroup-3", "/sys/fs/cgroup", "/sys/fs/cgroup2", "/sys/kernel/a b"}
	if diff := cmp.Diff(want, netns.Topmost(netns.ParseMountPoints(text), "/sys/")); diff != "" {
		t.Errorf("below /sys (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(netns.ParseNSMounts(text)); got != "[{/run/netns/a b 4026532250}]" {
		t.Errorf("namespaces: %s", got)
	}
}

// Both ways to learn about mounts say the same.
func TestListMountsAgreesWithMountinfo(t *testing.T) {
	got, err := netns.ListMounts("/")
	if err != nil {
		t.Skipf("SKIPPED: kernel feature listmount (Linux 6.8) is missing: %v", err)
	}
	want := netns.ParseMountPoints(must(os.ReadFile("/proc/thread-self/mountinfo")))
	want = slices.DeleteFunc(want, func(p string) bool { return p == "/" })
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mounts (-mountinfo +listmount):\n%s", diff)
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add([]byte("30 1 0:4 net:[4026532250] /run/netns/a\\040b rw shared:9 - nsfs nsfs rw\n"))
	f.Add([]byte("1 2 3 net:[x] \\9 \\1\n\\"))
	f.Fuzz(func(t *testing.T, b []byte) {
		top := netns.Topmost(netns.ParseMountPoints(b), "/")
		for i, a := range top {
			for j, c := range top {
				if i != j && (a == c || len(c) > len(a) && c[:len(a)+1] == a+"/") {
					t.Errorf("%q is below %q, or is it", c, a)
				}
			}
		}
		netns.ParseNSMounts(b)
	})
}
