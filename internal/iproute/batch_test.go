package iproute_test

import (
	"context"
	"strings"
	"testing"

	"warren/netns"
)

// TestBatches gives the same lines to both, each with -batch and with -force too. What ends a batch, whether the line is counted as
// failed, how lines are cut and what one line leaves behind for the next is as with iproute2.
func TestBatches(t *testing.T) {
	leakCheck(t)
	const a, b = "batch-a", "batch-b"
	for _, ns := range []string{a, b} {
		twin(t, ns)
		t.Cleanup(func() { _ = netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+ns) })
		for _, line := range []string{
			"link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02", "link set v0 up", "link set v1 up",
			"link add br0 address 02:00:00:00:00:03 type bridge", "link set v1 master br0", "addr add 10.0.0.1/24 dev v0",
		} {
			if r := theirs(t, "", inside(append([]string{"ip"}, strings.Fields(line)...), ns)...); r.Code != 0 {
				t.Fatalf("%s: %+v", line, r)
			}
		}
	}
	try := func(options, lines string) {
		t.Helper()
		argv := append(strings.Fields(options), "-batch", "-")
		want, got := still(theirs(t, lines, inside(argv, a)...)), still(ours(t, lines, inside(argv, b)...))
		if got.Code != want.Code || got.Out != want.Out || (got.Code == 0) && got.Err != want.Err {
			t.Errorf("%s %q:\nthey: %d %s%s\nwe:   %d %s%s", options, lines, want.Code, want.Out, want.Err, got.Code, got.Out, got.Err)
		}
	}
	for _, lines := range []string{ // how lines are cut
		"", "\n", "# nothing", "link show lo", "link show \\\nlo\n", "link show dev lo\\\n", "link show \\", "link show \\\n\\\nlo\n",
		"link show \\\n# foo\nlink show lo\n", "link show # \\\nlo\n", "link show lo \\ \nlink show lo\n", "link show l\\\no\n",
		"link show \"lo\"\n", "link show 'lo'\n", "link show 'lo\nlink show lo\n", "link show lo\nlink show \"lo\n", "link\"s\" show lo\n",
		"link show \"lo#x\"\n", "link show \"\"\n", "link\tshow\tlo\r\n",
	} {
		try("ip", lines)
		try("ip -force", lines)
	}
	for _, lines := range []string{ // what a line leaves behind
		"link\naddr\n", "addr\nlink\naddr\n", "xfrm policy\nlink show lo\n",
	} {
		for _, options := range []string{"ip", "ip -d", "ip -o", "ip -br", "ip -j", "ip -4"} {
			try(options, lines)
		}
	}
	for _, options := range []string{"ip", "ip -d", "ip -o", "ip -j", "ip -4"} {
		try(options, "link\naddr show dev v0\n")
	}
	for _, line := range []string{ // which failures end a batch
		"help", "link help", "nosuch", "link nosuch", "link show nosuch", "link set v0 nosuch", "link set nosuch up", "link add", "link set v0 mtu",
		"link set v0 mtu x", "link set v0 address x", "link set v0 address 02:00", "link del nosuch", "addr add 10.0.0.1/24 dev v0",
		"addr add 10.0.0.x/24 dev v0", "addr add 10.0.0.2/24", "addr show nosuch", "addr flush", "addr flush dev nosuch", "addrlabel flush foo",
		"addrlabel list foo", "addrlabel add prefix x", "route add 10.1.0.0/16", "route add 10.1.0.0/16 via x", "route get 10.0.0.2 nosuch",
		"route show table 99", "route show dev nosuch", "route flush", "rule add nosuch", "rule del prio 99", "rule flush nosuch", "neigh add 10.0.0.7 dev v0",
		"neigh add 10.0.0.7 lladdr x dev v0", "neigh change 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0", "neigh get 10.0.0.7 dev v0", "neigh show dev nosuch",
		"neigh flush", "nexthop add id x", "nexthop get id 99", "nexthop del id 99", "maddr add 239.1.1.1 dev v0", "maddr add 33:33:00:00:00:05 dev nosuch",
		"maddr add x dev v0", "mroute show table 5", "mroute show 10.0.0.1", "vrf show nosuch", "vrf pids nosuch", "vrf pids", "vrf identify 999999",
		"tuntap add", "tuntap del t9 mode tap", "token set ::1 dev nosuch", "netconf show dev nosuch", "netns add", "netns del nosuch", "netns set nosuch 5",
		"netns identify x", "mptcp endpoint add x", "tunnel add", "ntable change", "link xstats type veth", "monitor nosuch",
	} {
		try("ip", line+"\nlink show dev lo\n")
		try("ip -force", line+"\nlink show dev lo\n")
	}
	for _, line := range []string{
		"help", "link help", "nosuch", "link nosuch", "link show dev nosuch", "link set", "link set dev v1 nosuch", "link set dev v1 cost",
		"link set dev v1 state nosuch", "link set dev v1 hwmode nosuch", "link set dev v1 hairpin maybe", "link set dev nosuch cost 5",
		"link set dev v1 backup_port nosuch", "fdb show br nosuch", "fdb show dev nosuch", "fdb add", "fdb add dev v1", "fdb add 02:00 dev v1",
		"fdb add 02:00:00:00:00:09 dev nosuch", "fdb add 02:00:00:00:00:09 dev v1 via none", "fdb add 02:00:00:00:00:09 dev v1 nhid 8 port 7", "fdb get",
		"fdb get 02:00:00:00:00:09 br br0", "fdb get 02:00:00:00:00:09 br nosuch", "fdb get 02:00:00:00:00:09 dev nosuch", "fdb flush", "fdb flush dev nosuch",
		"fdb flush dev br0 brport nosuch", "fdb flush dev br0 vlan 5000", "mdb add", "mdb add dev br0 grp 239.1.1.5", "mdb add dev br0 port v1 grp nosuch",
		"mdb add dev br0 port v1 grp 239.1.1.1 src any", "mdb add dev nosuch port v1 grp 239.1.1.1", "mdb show dev nosuch", "vlan add", "vlan add dev v1",
		"vlan add vid 10", "vlan add dev v1 vid 30-20", "vlan add dev v1 vid 4096", "vlan add dev v1 vid 5-9 pvid", "vlan add dev nosuch vid 5",
		"vlan show dev nosuch", "vlan set", "vlan set dev nosuch vid 5", "vlan set dev v1 vid 10 state nosuch", "vlan global set",
		"vlan global set dev nosuch vid 5", "vni add dev v1", "vni add dev nosuch vni 5", "monitor nosuch",
	} {
		try("bridge", line+"\nlink show dev v1\n")
		try("bridge -force", line+"\nlink show dev v1\n")
	}
}
