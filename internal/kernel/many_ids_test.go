package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// TestManyIDs: Linux 6.18 ends a dump of ids with its first part, some hundred of them.
func TestManyIDs(t *testing.T) {
	leakCheck(t)
	const n = 300
	list := make([]netns.New, n)
	for i := range list {
		list[i].Path = fmt.Sprintf("%s/id%d", netns.Dir, i)
	}
	made, err := netns.CreateMany(t.Context(), list)
	t.Cleanup(func() {
		for _, h := range made {
			_ = h.Close()
		}
		for _, v := range list {
			if err := netns.Delete(t.Context(), v.Path); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	host, err := netns.Open(t.Context(), "host")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	conn, err := host.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reqs, want := make([]nl.Request, n), make([]int, n)
	for i, h := range made {
		want[i] = 1000 + i
		reqs[i] = rtnl.SetNSID(h.FD(), want[i])
	}
	for _, err := range conn.Batch(reqs) {
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := newKernel(t).Observe(t.Context(), state.Query{Names: []string{state.HostNS}, Parts: state.PartLinks | state.PartNSIDs})
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, id := range s.Namespace(state.HostNS).NSIDs {
		if id.ID >= 1000 {
			got = append(got, id.ID)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d of %d ids", len(got), n)
	}
}
