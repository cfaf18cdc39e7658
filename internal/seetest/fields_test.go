package seetest_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"warren"
	"warren/internal/kerneltest"
	"warren/state"
)

// rich is a namespace that has some of everything. IPv6 addresses are not generated, so that little moves.
const rich = `
N="ip -n rich"
$N link set lo up
$N link add br0 type bridge mcast_querier 1 forward_delay 300 priority 4096
$N link add p0 type veth peer name p1
$N link add v9 type veth peer name same
$N link add vx0 type vxlan id 7 remote 192.0.2.9 dstport 4789 dev p1 nolearning
$N link add mv0 link p1 type macvlan mode vepa
for l in br0 p0 p1 v9 same vx0 mv0; do $N link set dev $l addrgenmode none; done
$N link set dev p0 master br0 up
$N link set dev p0 type bridge_slave isolated on learning off cost 77
$N link set dev p1 up alias 'two words' group 5 mtu 1400 txqueuelen 99
$N link set dev v9 name renamed
$N link property add dev renamed altname an-alternative.name altname another
$N link set dev br0 up; $N link set dev same up; $N link set dev renamed up; $N link set dev mv0 up
$N addr add 10.0.0.1/24 brd + dev br0 label br0:x
$N addr add 10.0.0.9/24 dev br0
$N addr add 10.1.0.1 peer 10.1.0.2/32 dev renamed valid_lft 3000 preferred_lft 2000
$N addr add 10.2.0.1/24 dev renamed scope link noprefixroute
$N addr add fd00::1/64 dev br0 nodad
$N addr add fd00::2/64 dev br0 nodad preferred_lft 0
$N nexthop add id 1 via 10.0.0.2 dev br0; $N nexthop add id 2 blackhole; $N nexthop add id 3 via 10.0.0.3 dev br0; $N nexthop add id 10 group 1,5/3
$N route add 10.5.0.0/16 via 10.0.0.2 metric 7 mtu lock 1300 advmss 1200 src 10.0.0.9 proto 42
$N route add 10.6.0.0/16 nhid 10
$N route add 10.6.1.0/24 nhid 1 tos 0x10
$N route add blackhole 10.7.0.0/16; $N route add throw 10.7.1.0/24 table 100; $N route add prohibit 10.7.2.0/24; $N route add unreachable 10.7.3.0/24
$N route add 10.8.0.0/16 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3
$N route add default via 10.0.0.3 table 4711 metric 3
$N route add 192.0.2.0/24 via 10.99.0.1 dev renamed onlink
$N route add unreachable fd09::/64; $N -6 route add fd08::/64 via fd00::5 metric 9 pref high; $N -6 route add default dev br0 table 100
$N rule add from 10.9.0.0/16 fwmark 0x7/0xff iif br0 lookup 100 priority 90
$N rule add to 10.8.0.0/16 prohibit priority 91
$N rule add not from 10.3.0.0/16 tos 0x10 uidrange 5-9 ipproto tcp dport 80-90 sport 7 lookup 200 suppress_prefixlength 3 priority 92
$N rule add priority 93 goto 32766; $N rule add priority 94 oif renamed unreachable; $N -6 rule add from fd02::/64 lookup 100 priority 95
$N neigh add 10.0.0.2 lladdr 02:00:5e:00:00:02 dev br0 nud permanent; $N neigh add 10.0.0.3 lladdr 02:00:5e:00:00:03 dev br0 nud noarp
$N neigh add proxy 10.0.0.8 dev br0; $N neigh add fd00::9 lladdr 02:00:5e:00:00:09 dev br0 nud permanent router
I="ip netns exec rich"
$I bridge fdb add 02:00:5e:00:00:11 dev p0 master static
$I bridge fdb append 02:00:5e:00:00:12 dev vx0 dst 192.0.2.77 vni 9 port 4790
$I bridge mdb add dev br0 port p0 grp 239.1.1.1 permanent
`

const richRules = `
table inet f {
	comment "of the whole"
	set s {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 192.0.2.1-192.0.2.9 }
	}
	map m {
		type ipv4_addr . inet_service : verdict
		elements = { 10.0.0.1 . 80 : accept, 10.0.0.2 . 81 : drop }
	}
	chain c {
		type filter hook input priority -5; policy drop;
		iifname "lo" accept
		ct state established,related accept comment "old ones"
		ip saddr @s tcp dport { 22, 80-90 } counter accept
		ip daddr . tcp dport vmap @m
		iifname "br*" meta mark & 0xff == 0x7 goto other
	}
	chain other {
		limit rate 5/second log prefix "x " drop
	}
}
table ip n {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 8080 dnat to 10.0.0.2:80
	}
}
`

// A fields is what one side says of one kind of thing: a line for each.
type fields struct {
	of   string
	n    *state.Namespace
	t    *testing.T
	errs []error
}

// same compares our lines with those of a witness.
func (f *fields) same(what string, ours, theirs []string) {
	slices.Sort(ours)
	slices.Sort(theirs)
	var diff []string
	for _, l := range ours {
		if !slices.Contains(theirs, l) {
			diff = append(diff, "\tours:   "+l)
		}
	}
	for _, l := range theirs {
		if !slices.Contains(ours, l) {
			diff = append(diff, "\ttheirs: "+l)
		}
	}
	if len(ours) != len(theirs) || len(diff) > 0 {
		f.errs = append(f.errs, fmt.Errorf("%s: %d, they say %d\n%s", what, len(ours), len(theirs), strings.Join(diff, "\n")))
	}
}

// ip reads what ip says, with numbers instead of words.
func (f *fields) ip(arg ...string) (list []map[string]any) {
	f.t.Helper()
	witness(f.t, &list, append([]string{"ip", "-n", f.of, "-N", "-d", "-j"}, arg...)...)
	return slices.DeleteFunc(list, func(m map[string]any) bool { return len(m) == 0 }) // ip 6.1 prints {} for what it filters
}

func (f *fields) inside(into any, arg ...string) {
	f.t.Helper()
	witness(f.t, into, append([]string{"ip", "netns", "exec", f.of}, arg...)...)
}

// str is a field in words; what is not there is "".
func str(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return fmt.Sprintf("%d", int64(v))
	}
	return fmt.Sprint(v)
}

// has tells a flag, which iproute2 prints as null.
func has(m map[string]any, key string) bool {
	v, ok := m[key]
	return ok && v != false
}

// or is a field, or what its absence means.
func or(v any, absent string) string {
	if s := str(v); s != "" {
		return s
	}
	return absent
}

// TestFields compares everything that a snapshot holds of a namespace, field by field, with what ip, bridge, nft, ss and the
// files below /proc say. What still moves (multicast groups, counters) is read until two looks agree.
func TestFields(t *testing.T) {
	kerneltest.Need(t, "exec:bridge", "exec:nft", "exec:ss", "bridge", "vxlan", "macvlan", "nftables")
	w := begin(t)
	w.add("rich", "beside")
	w.sh(rich)
	w.sh("ip -n rich link add name away type veth peer name near netns beside; ip -n rich link set dev away addrgenmode none up")
	w.sh("ip netns exec rich nft -f - <<'end'\n" + richRules + "end\n")
	w.sockets("rich")
	w.connect("rich", 8333)
	wr := open(t)
	kerneltest.Eventually(t, patience, func() error {
		snap, err := wr.Snapshot(t.Context(), warren.SnapshotOptions{})
		if err != nil {
			return err
		}
		f := &fields{of: "rich", n: snap.Namespace("rich"), t: t}
		f.links()
		f.addrs()
		f.routes()
		f.rules()
		f.neighbors()
		f.switching()
		f.nextHops()
		f.firewall()
		f.sockets()
		f.files()
		return errors.Join(f.errs...)
	})
}

// files compares sysctls with their files.
func (f *fields) files() {
	var ours, theirs []string
	paths := []string{"netns", "exec", f.of, "head", "-n1", "-v"}
	for _, s := range f.n.Sysctls {
		ours = append(ours, s.Key+" "+s.Value)
		paths = append(paths, "/proc/sys/"+s.Key)
	}
	w := &world{f.t}
	for part := range strings.SplitSeq(w.sh("ip '%s'", strings.Join(paths, "' '")), "==> /proc/sys/") {
		if key, value, ok := strings.Cut(part, " <==\n"); ok {
			theirs = append(theirs, key+" "+strings.TrimSpace(value))
		}
	}
	f.same("sysctls", ours, theirs)
}

// TestProcessFields compares what is told of a process with /proc.
func TestProcessFields(t *testing.T) {
	w := begin(t)
	pid := w.live("unshare", "-n", "sh", "-c", thereAndSleep)
	snap, err := open(t).Snapshot(t.Context(), warren.SnapshotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := &seen{t, snap, nil}
	p := s.of(pid).Processes[0]
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		t.Fatal(err)
	}
	s.is("words", strings.Join(p.Args, "\x00")+"\x00", string(cmdline))
	s.is("user", p.User+" "+fmt.Sprint(p.UID), strings.TrimSpace(w.sh("ps -o user=,uid= -p %d | xargs", pid)))
	s.is("started", fmt.Sprint(p.Started.Unix()/10), strings.TrimSpace(w.sh("date -d \"$(ps -o lstart= -p %d)\" +%%s | sed 's/.$//'", pid)))
	if p.Cgroup == "" || !strings.Contains(w.sh("cat /proc/%d/cgroup", pid), ":"+p.Cgroup+"\n") {
		t.Errorf("control group %q", p.Cgroup)
	}
}
