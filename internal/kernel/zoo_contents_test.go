package kernel_test

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/state"
)

// furnish makes a namespace that has some of everything, with the tools that then are the witnesses.
func furnish(t *testing.T, ns string) {
	t.Helper()
	ip := func(words string) { t.Helper(); run(t, "ip", append([]string{"-n", ns}, strings.Fields(words)...)...) }
	for _, words := range []string{
		"link set lo up", "link add br0 type bridge mcast_querier 1", "link set br0 up", "link add p0 type veth peer name p1",
		"link set p0 master br0 up", "link set p1 up alias two.words,ünïcode", "link add v9 type veth peer name same",
		"link set v9 name renamed", "link property add dev renamed altname an-alternative.name altname another", "link set renamed up", "link set same up",
		"link add vx0 type vxlan id 7 remote 192.0.2.9 dstport 4789 dev p1", "link add mv0 link p1 type macvlan mode bridge",
		"addr add 10.0.0.1/24 dev br0", "addr add 10.0.1.1 peer 10.0.1.2/32 dev renamed", "addr add fd00::1/64 dev br0 nodad",
		"nexthop add id 1 via 10.0.0.2 dev br0", "nexthop add id 2 blackhole", "nexthop add id 3 via 10.0.0.3 dev br0", "nexthop add id 10 group 1,5/3",
		"route add 10.1.0.0/16 via 10.0.0.2 metric 7", "route add 10.2.0.0/16 nhid 10", "route add blackhole 10.3.0.0/16", "route add table 100 default via 10.0.0.3",
		"route add unreachable 10.4.0.0/16", "route add throw 10.5.0.0/16 table 100", "-6 route add fd01::/64 via fd00::2", "route add 10.6.0.0/16 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3",
		"rule add from 10.9.0.0/16 fwmark 0x7/0xff lookup 100 priority 90", "rule add iif br0 to 10.8.0.0/16 prohibit priority 91", "-6 rule add from fd02::/64 lookup 100 priority 92",
		"neigh add 10.0.0.2 lladdr 02:00:5e:00:00:02 dev br0 nud permanent", "neigh add 10.0.0.3 lladdr 02:00:5e:00:00:03 dev br0 nud stale", "neigh add proxy 10.0.0.9 dev br0",
	} {
		ip(words)
	}
	in := func(words ...string) { t.Helper(); run(t, "ip", append([]string{"netns", "exec", ns}, words...)...) }
	in("bridge", "fdb", "add", "02:00:5e:00:00:11", "dev", "p0", "master", "static")
	in("bridge", "mdb", "add", "dev", "br0", "port", "p0", "grp", "239.1.1.1", "permanent")
	in("tc", "qdisc", "add", "dev", "p1", "clsact")
	in("tc", "filter", "add", "dev", "p1", "ingress", "protocol", "ip", "u32", "match", "ip", "dst", "192.0.2.7", "classid", "1:1")
	in("nft", "add table inet f; add set inet f s { type ipv4_addr; elements = { 10.0.0.7 } }; add chain inet f c { type filter hook input priority 0; }; add rule inet f c ip saddr @s drop")
	in("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.icmp_echo_ignore_all=1", "net.bridge.bridge-nf-call-iptables=0")
}

// TestZooContents compares every kind of object with what ip, bridge, tc, nft and ss say.
func TestZooContents(t *testing.T) {
	kerneltest.Need(t, "exec:tc", "exec:bridge", "exec:sysctl", "exec:ss", "exec:nft", "vxlan", "macvlan", "bridge", "nftables", "clsact", "bridge-nf")
	z := newZoo(t)
	z.k = kernel.New(kernel.Config{})
	run(t, "ip", "netns", "add", "full")
	t.Cleanup(func() { run(t, "ip", "netns", "del", "full") })
	furnish(t, "full")
	h, err := netns.OpenPath(netns.Dir + "/full")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, s := range []struct {
		domain, typ int
		addr        unix.Sockaddr
		listen      bool
	}{
		{unix.AF_INET, unix.SOCK_STREAM, &unix.SockaddrInet4{Port: 80, Addr: [4]byte{10, 0, 0, 1}}, true},
		{unix.AF_INET6, unix.SOCK_STREAM, &unix.SockaddrInet6{Port: 443}, true},
		{unix.AF_INET, unix.SOCK_DGRAM, &unix.SockaddrInet4{Port: 53}, false},
		{unix.AF_UNIX, unix.SOCK_STREAM, &unix.SockaddrUnix{Name: "@zoo"}, true},
	} {
		fd, err := h.Socket(s.domain, s.typ, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		if err := unix.Bind(fd, s.addr); err != nil {
			t.Fatal(err)
		}
		if s.listen {
			if err := unix.Listen(fd, 5); err != nil {
				t.Fatal(err)
			}
		}
	}
	var n *state.Namespace
	compare := func(what string, got, want []string) {
		t.Helper()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", what, got, want)
		}
	}
	// Multicast groups, reports and routes of IPv6 come for a while after a bridge has come up: read until two looks are equal.
	count := func(arg ...string) int {
		var list []map[string]any
		decode(t, run(t, arg[0], arg[1:]...), &list)
		return len(list)
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		z.everywhere(state.PartsAll)
		n = z.named("full")
		if a, b := len(n.FDB), count("bridge", "-n", "full", "-j", "fdb", "show"); a != b {
			return fmt.Errorf("%d forwarding entries, bridge shows %d", a, b)
		}
		if a, b := len(n.Neighbors), count("ip", "-n", "full", "-j", "neigh", "show", "nud", "all")+count("ip", "-n", "full", "-j", "neigh", "show", "proxy"); a != b {
			return fmt.Errorf("%d neighbours, ip shows %d", a, b)
		}
		if a, b := len(n.Routes), count("ip", "-n", "full", "-j", "-4", "route", "show", "table", "all")+count("ip", "-n", "full", "-j", "-6", "route", "show", "table", "all"); a != b {
			return fmt.Errorf("%d routes, ip shows %d", a, b)
		}
		var shown []struct {
			Name  string `json:"ifname"`
			State string `json:"operstate"`
		}
		decode(t, run(t, "ip", "-n", "full", "-j", "link"), &shown)
		for _, l := range shown { // a worker of the kernel follows the carrier
			if have := n.Link(l.Name); have == nil || have.OperState != l.State {
				return fmt.Errorf("ip shows %+v, read was %+v", l, have)
			}
		}
		return nil
	})
	if len(z.s.Unread) > 0 {
		t.Errorf("unread: %+v", z.s.Unread)
	}
	var links []struct {
		Index    int      `json:"ifindex"`
		Name     string   `json:"ifname"`
		MTU      uint32   `json:"mtu"`
		State    string   `json:"operstate"`
		Master   string   `json:"master"`
		MAC      string   `json:"address"`
		Alias    string   `json:"ifalias"`
		AltNames []string `json:"altnames"`
		Qdisc    string   `json:"qdisc"`
	}
	decode(t, run(t, "ip", "-n", "full", "-j", "-d", "link"), &links)
	var got, want []string
	for _, l := range n.Links {
		mac := l.MAC.String()
		if l.Name == "lo" {
			mac = "00:00:00:00:00:00"
		}
		got = append(got, fmt.Sprint(l.Index, l.Name, l.MTU, l.OperState, l.Master, mac, l.Alias, l.AltNames))
	}
	for _, l := range links {
		slices.Sort(l.AltNames)
		want = append(want, fmt.Sprint(l.Index, l.Name, l.MTU, l.State, l.Master, l.MAC, l.Alias, l.AltNames))
	}
	compare("links", got, want)
	if br := n.Link("br0"); br.MACAssign != 1 && br.MACAssign != 2 {
		t.Errorf("the bridge's address is of origin %d", br.MACAssign)
	}
	if p := n.Link("renamed").Peer; p.NS != "full" || p.Name != "same" {
		t.Errorf("peer in the same namespace: %+v", p)
	}
	var addrs []struct {
		Name  string `json:"ifname"`
		Addrs []struct {
			Local string `json:"local"`
		} `json:"addr_info"`
	}
	decode(t, run(t, "ip", "-n", "full", "-j", "addr"), &addrs)
	got, want = nil, nil
	for _, a := range n.Addrs {
		got = append(got, a.Link+" "+a.Prefix.Addr().String())
	}
	for _, l := range addrs {
		for _, a := range l.Addrs {
			if a.Local != "" {
				want = append(want, l.Name+" "+a.Local)
			}
		}
	}
	compare("addresses", got, want)
	if a := count("ip", "-n", "full", "-j", "rule") + count("ip", "-n", "full", "-6", "-j", "rule"); a != len(n.Rules) {
		t.Errorf("%d rules, ip shows %d", len(n.Rules), a)
	}
	got, want = nil, nil
	for _, h := range n.NextHops {
		got = append(got, fmt.Sprint(h.ID, h.Blackhole, len(h.Group), h.Link))
	}
	var hops []struct {
		ID        uint32 `json:"id"`
		Blackhole any    `json:"blackhole"`
		Group     []any  `json:"group"`
		Dev       string `json:"dev"`
	}
	decode(t, run(t, "ip", "-n", "full", "-j", "nexthop"), &hops)
	for _, h := range hops {
		dev := h.Dev
		if h.Blackhole != nil {
			dev = ""
		}
		want = append(want, fmt.Sprint(h.ID, h.Blackhole != nil || h.ID == 2, len(h.Group), dev))
	}
	compare("next hop objects", got, want)
	if i := slices.IndexFunc(n.NextHops, func(h state.NextHopObject) bool { return h.ID == 10 }); i < 0 || n.NextHops[i].Group[0].Weight+n.NextHops[i].Group[1].Weight != 6 {
		t.Errorf("group: %+v", n.NextHops)
	}
	if !slices.ContainsFunc(n.MDB, func(m state.MDBEntry) bool {
		return m.Bridge == "br0" && m.Port == "p0" && m.Group == netip.MustParseAddr("239.1.1.1") && m.State == "permanent"
	}) {
		t.Errorf("multicast groups %+v", n.MDB)
	}
	got, want = nil, nil
	for _, q := range n.Qdiscs {
		got = append(got, q.Link+" "+q.Kind)
	}
	var qdiscs []struct {
		Kind string `json:"kind"`
		Dev  string `json:"dev"`
	}
	decode(t, run(t, "ip", "netns", "exec", "full", "tc", "-j", "qdisc"), &qdiscs)
	for _, q := range qdiscs {
		want = append(want, q.Dev+" "+q.Kind)
	}
	compare("queueing disciplines", got, want)
	if i := slices.IndexFunc(n.Qdiscs, func(q state.Qdisc) bool { return q.Kind == "clsact" }); i < 0 || !slices.Equal(n.Qdiscs[i].Filters, []string{"u32"}) {
		t.Errorf("filters: %+v", n.Qdiscs)
	}
	if len(n.Tables) != 1 || n.Tables[0].Name != "f" || len(n.Tables[0].Sets) != 1 || len(n.Tables[0].Chains[0].Rules) != 1 {
		t.Errorf("tables %+v", n.Tables)
	}
	for key, want := range map[string]string{"net/ipv4/ip_forward": "1", "net/ipv4/icmp_echo_ignore_all": "1", "net/bridge/bridge-nf-call-iptables": "0"} {
		if got, _ := n.Sysctl(key); got != want {
			t.Errorf("%s is %q, want %s", key, got, want)
		}
	}
	for _, s := range n.Sysctls {
		want := strings.TrimSpace(string(run(t, "ip", "netns", "exec", "full", "cat", "/proc/sys/"+s.Key)))
		if s.Value != want {
			t.Errorf("%s is %q, the file says %q", s.Key, s.Value, want)
		}
	}
	got, want = nil, nil
	for _, s := range n.Sockets {
		if s.Protocol == "tcp" || s.Protocol == "udp" {
			got = append(got, fmt.Sprint(s.Protocol, s.State, s.Local.Port()))
		}
		if s.Process == nil {
			t.Errorf("nobody has %+v", s)
		}
	}
	for line := range strings.Lines(string(run(t, "ip", "netns", "exec", "full", "ss", "-Htuan"))) {
		f := strings.Fields(line)
		want = append(want, fmt.Sprint(f[0], f[1], f[4][strings.LastIndexByte(f[4], ':')+1:]))
	}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], " ", "")
	}
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], " ", "")
	}
	compare("sockets", got, want)
	if !slices.ContainsFunc(n.Sockets, func(s state.Socket) bool { return s.Path == "@zoo" && s.State == "LISTEN" }) {
		t.Errorf("no unix socket among %+v", n.Sockets)
	}
}

// TestZooPeers: cables between namespaces of which one has no name, have equal indexes, or cannot be opened.
func TestZooPeers(t *testing.T) {
	z := newZoo(t)
	kerneltest.Need(t, "bpf-syscall")
	run(t, "ip", "netns", "add", "near")
	t.Cleanup(func() { run(t, "ip", "netns", "del", "near") })
	p := sleeper(t, "unshare", "-n", "sh", "-c", sayAndSleep)
	run(t, "ip", "-n", "near", "link", "add", "equal", "index", "77", "type", "veth", "peer", "name", "equal", "index", "77", "netns", fmt.Sprint(p.Process.Pid))
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	cookie := fresh(t, func(h *netns.Handle) {
		run(t, "touch", "/run/hide")
		run(t, "mount", "--bind", fmt.Sprintf("/proc/%d/fd/%d", unix.Getpid(), h.FD()), "/run/hide")
		run(t, "ip", "-n", "near", "link", "add", "lost", "type", "veth", "peer", "name", "hiding", "netns", "/run/hide")
		run(t, "umount", "/run/hide")
		run(t, "rm", "/run/hide")
		if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(h.FD()), nil, 0); err != nil {
			t.Fatal(err)
		}
	})
	z.everywhere(state.PartLinks | state.PartNSIDs)
	far := z.of(p.Process.Pid)
	if got := z.named("near").Link("equal"); got.Index != 77 || got.Peer.Index != 77 || got.Peer.NS != far.Name || got.Peer.Name != "equal" {
		t.Errorf("equal indexes: %+v", got.Peer)
	}
	hidden := fmt.Sprintf("cookie:%d", cookie)
	if got := z.named("near").Link("lost").Peer; got.NS != hidden || got.Name != "hiding" {
		t.Errorf("peer in a hidden namespace: %+v", got)
	}
	for _, id := range z.named("near").NSIDs {
		if id.NS != hidden && id.NS != far.Name {
			t.Errorf("ids: %+v", z.named("near").NSIDs)
		}
	}
	// By key, and by the id that somebody has for it.
	lost := z.named("near").Link("lost").Peer
	for _, q := range []state.Query{
		{Names: []string{"near", hidden}, Parts: state.PartLinks},
		{Names: []string{"near"}, Beyond: []state.NSIDOf{{NS: "near", ID: lost.NSID}}, Parts: state.PartLinks},
		{Names: []string{"near"}, Beyond: []state.NSIDOf{{NS: "near", ID: lost.NSID}}, Parts: state.PartLinks}, // remembered
	} {
		s, err := z.k.Observe(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Namespace(hidden); n == nil || n.Link("hiding") == nil || s.Namespace("near").Link("lost").Peer.NS != hidden {
			t.Errorf("%+v: %+v", q, n)
		}
	}
	equal := z.named("near").Link("equal").Peer
	s, err := z.k.Observe(t.Context(), state.Query{Names: []string{"near"}, Beyond: []state.NSIDOf{{NS: "near", ID: equal.NSID}, {NS: "near", ID: 4711}, {NS: "nobody", ID: 1}}, Parts: state.PartLinks})
	if err != nil || s.Namespace(far.Name) == nil {
		t.Errorf("behind the id of a process: %+v, %v", s, err)
	}
	if len(s.Unread) != 1 || s.Unread[0].Object != "the namespace that it knows as id 4711" {
		t.Errorf("unread: %+v", s.Unread)
	}
	// Where nobody looks for hidden ones they are named by their id.
	z.k = kernel.New(kernel.Config{})
	z.everywhere(state.PartLinks | state.PartNSIDs)
	if got := z.named("near").Link("lost").Peer; got.NS != "" || got.Name != "hiding" {
		t.Errorf("peer in a namespace that cannot be opened: %+v", got)
	}
	if want := fmt.Sprintf("the namespace that it knows as id %d", lost.NSID); !slices.ContainsFunc(z.s.Unread, func(u state.Unread) bool { return u.NS == "near" && u.Object == want }) {
		t.Errorf("unread: %+v", z.s.Unread)
	}
}

// TestZooThousand reads a thousand namespaces that nobody named, whose links all have equal indexes.
func TestZooThousand(t *testing.T) {
	z := newZoo(t)
	z.k = kernel.New(kernel.Config{})
	n := 1000
	if testing.Short() {
		n = 100
	}
	handles := make([]*netns.Handle, n)
	for i := range handles {
		err := netns.Scratch(func(*netns.Inside) (err error) {
			handles[i], err = netns.OpenPath("/proc/thread-self/ns/net")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer handles[i].Close()
	}
	for i := 0; i+1 < n; i += 100 {
		path := func(h *netns.Handle) string { return fmt.Sprintf("/proc/%d/fd/%d", unix.Getpid(), h.FD()) }
		run(t, "nsenter", "--net="+path(handles[i]), "ip", "link", "add", "one", "index", "5", "type", "veth", "peer", "name", "two", "index", "5", "netns", path(handles[i+1]))
	}
	z.everywhere(state.PartLinks | state.PartHolders | state.PartNSIDs)
	for i := range handles {
		ns := z.cookie(handles[i].Cookie())
		if len(ns.Holders) != 1 || ns.Holders[0].Kind != "file" {
			t.Fatalf("%s is held by %+v", ns.Name, ns.Holders)
		}
		if l := ns.Link("one"); l != nil && l.Peer.NS != fmt.Sprintf("cookie:%d", handles[i+1].Cookie()) {
			t.Errorf("peer of %s: %+v, want %d", ns.Name, l.Peer, handles[i+1].Cookie())
		}
	}
}

// TestZooVanishing reads while namespaces and processes come and go: that is nothing worth a word.
func TestZooVanishing(t *testing.T) {
	z := newZoo(t)
	z.k = kernel.New(kernel.Config{})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for i := range 2 {
		wg.Go(func() {
			name := fmt.Sprintf("gone%d", i)
			for ctx.Err() == nil {
				for _, words := range []string{
					"ip netns add " + name, "ip -n " + name + " link add one type veth peer name two", "unshare -n true", "ip netns del " + name,
				} {
					f := strings.Fields(words)
					if out, err := exec.CommandContext(context.Background(), f[0], f[1:]...).CombinedOutput(); err != nil {
						t.Errorf("%s: %v: %s", words, err, out)
						return
					}
				}
			}
		})
	}
	for range 15 {
		z.everywhere(state.PartsAll)
		for _, u := range z.s.Unread {
			t.Errorf("unread: %+v", u)
		}
	}
}
