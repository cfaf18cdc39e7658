package warren_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/reach"
)

// liveWorld is a - r - s - b: a router, and a bridge behind it.
//
//	a va 10.0.1.2 == r1 10.0.1.1 r r2 10.0.2.1 == pr [br0 s] pb == vb 10.0.2.2 b
const liveWorld = `
for n in a r s b; do
	ip netns add $n; ip -n $n link set lo up
	ip netns exec $n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0
	ip netns exec $n sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0 2>/dev/null || true
done
ip link add va netns a type veth peer name r1 netns r
ip link add r2 netns r type veth peer name pr netns s
ip link add vb netns b type veth peer name pb netns s
ip -n s link add br0 type bridge; ip -n s link set br0 up
for l in a:va r:r1 r:r2 s:pr s:pb b:vb; do ip -n ${l%:*} link set ${l#*:} up; done
ip -n s link set pr master br0; ip -n s link set pb master br0
ip -n a addr add 10.0.1.2/24 dev va; ip -n r addr add 10.0.1.1/24 dev r1; ip -n r addr add 10.0.2.1/24 dev r2; ip -n b addr add 10.0.2.2/24 dev vb
ip -n a addr add fd01::2/64 dev va nodad; ip -n r addr add fd01::1/64 dev r1 nodad; ip -n r addr add fd02::1/64 dev r2 nodad; ip -n b addr add fd02::2/64 dev vb nodad
ip -n a route add default via 10.0.1.1; ip -n b route add default via 10.0.2.1
ip -n a route add default via fd01::1; ip -n b route add default via fd02::1
ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
`

// openLive builds the world, with an echoing listener on port 80 (TCP) and 53 (UDP) and a silent one on 54 (UDP) of b.
func openLive(t *testing.T, o warren.Options) *warren.Warren {
	t.Helper()
	kerneltest.LeakCheck(t)
	t.Cleanup(func() {
		sh(t, "ip -all netns del")
		if err := netns.WaitGone(context.Background()); err != nil {
			t.Error(err)
		}
	})
	sh(t, liveWorld)
	kerneltest.Eventually(t, 30*time.Second, func() error { // links and bridge ports take a moment
		for _, dst := range []string{"10.0.2.2", "fd02::2"} {
			if out, err := exec.CommandContext(t.Context(), "ip", "netns", "exec", "a", "ping", "-c1", "-W1", dst).CombinedOutput(); err != nil {
				return fmt.Errorf("ping %s: %w: %s", dst, err, out)
			}
		}
		return nil
	})
	h, err := netns.Open(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for port, typ := range map[int]int{80: unix.SOCK_STREAM, 53: unix.SOCK_DGRAM, 54: unix.SOCK_DGRAM} {
		fd, err := h.Socket(unix.AF_INET6, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet6{Port: port})
		}
		if err == nil && typ == unix.SOCK_STREAM {
			err = unix.Listen(fd, 16)
		}
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "listener")
		if port != 53 {
			t.Cleanup(func() { _ = f.Close() })
			continue
		}
		c, err := net.FilePacketConn(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for buf := make([]byte, 2000); ; {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				_, _ = c.WriteTo(buf[:n], from)
			}
		}()
		t.Cleanup(func() { _ = c.Close(); <-done })
	}
	w, err := warren.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// nftIn runs nft inside.
func nftIn(ns, rules string) string {
	return fmt.Sprintf("ip netns exec %s nft -f - <<'E'\n%s\nE\n", ns, rules)
}

// TestWhyLive asks in many situations: the kernel has to agree with the walk, and to name where and why the packet died.
func TestWhyLive(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "nftables", "iptables-legacy", "ipv6", "bridge-nf", "bpf-syscall", "exec:ip", "exec:nft", "exec:ping", "root")
	w := openLive(t, warren.Options{})
	flush := "for n in a r s b; do ip netns exec $n nft flush ruleset; done"
	for _, tt := range []struct {
		name, do, undo string
		dst            string
		size           int
		code           reach.Code // "" = it arrives, and the answer comes back
		// dropped is "DIRECTION NAMESPACE REASON", the object a pattern.
		dropped, object string
		unseen          string
	}{
		{name: "ping", dst: "10.0.2.2"},
		{name: "ping6", dst: "fd02::2"},
		{name: "tcp", dst: "10.0.2.2:80"},
		{name: "tcp-data", dst: "10.0.2.2:80", size: 1400},
		{name: "udp", dst: "10.0.2.2:53/udp", size: 1200},
		{name: "udp-silent", dst: "[fd02::2]:54/udp"},
		{name: "tcp-nobody", dst: "10.0.2.2:81", code: reach.NoListener, dropped: "request b NO_SOCKET"},
		{name: "udp-nobody", dst: "10.0.2.2:81/udp", code: reach.NoListener, dropped: "request b NO_SOCKET"},
		{
			name: "nft-rule", do: nftIn("r", "table inet f { chain c { type filter hook forward priority 0; tcp dport 81 accept; icmp type echo-request counter drop; }; }"), undo: flush,
			dst: "10.0.2.2", code: reach.FilterDrop, dropped: "request r NETFILTER_DROP", object: `^nft inet f/c handle \d+$`,
		},
		{
			name: "nft-policy", do: nftIn("b", "table ip f { chain c { type filter hook input priority 0; policy drop; tcp dport 80 jump d; }; chain d { return; }; }"), undo: flush,
			dst: "10.0.2.2:80", code: reach.FilterDrop, dropped: "request b NETFILTER_DROP", object: `^nft ip f/c policy$`,
		},
		{
			name: "nft-reply", do: nftIn("r", "table ip6 f { chain c { type filter hook forward priority 0; iifname r2 icmpv6 type echo-reply drop; }; }"), undo: flush,
			dst: "fd02::2", code: reach.FilterDrop, dropped: "reply r NETFILTER_DROP", object: `^nft ip6 f/c handle \d+$`,
		},
		{
			name: "nft-output", do: nftIn("a", "table inet f { chain c { type filter hook output priority 0; udp dport 53 drop; }; }"), undo: flush,
			dst: "10.0.2.2:53/udp", code: reach.FilterDrop, dropped: "request a NETFILTER_DROP", object: `^nft inet f/c handle \d+$`,
		},
		{
			name: "nft-reject", do: nftIn("r", "table inet f { chain c { type filter hook forward priority 0; meta l4proto tcp reject with tcp reset; }; }"), undo: flush,
			dst: "10.0.2.2:80", code: reach.FilterReject, dropped: "request r NETFILTER_DROP", object: `^nft inet f/c handle \d+$`,
		},
		{
			name: "bridge-rule", do: nftIn("s", "table bridge f { chain c { type filter hook forward priority 0; ip protocol icmp drop; }; }"), undo: flush,
			dst: "10.0.2.2", code: reach.FilterDrop, dropped: "request s NETFILTER_DROP", object: `^nft bridge f/c handle \d+$`,
		},
		{
			name: "nat", do: nftIn("r", "table ip n { chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.0.2.2:80; }; chain post { type nat hook postrouting priority 100; oifname r2 masquerade; }; }"),
			dst: "10.0.1.1:8080",
		},
		{
			name: "nat-nobody", do: "ip netns exec r nft add rule ip n pre tcp dport 8081 dnat to 10.0.2.2:81", undo: flush,
			dst: "10.0.1.1:8081", code: reach.NoListener, dropped: "request b NO_SOCKET",
		},
		{
			name: "rp-filter", do: "ip netns exec r sysctl -qw net.ipv4.conf.r1.rp_filter=1; ip -n r route add 10.0.1.2/32 dev r2", undo: "ip netns exec r sysctl -qw net.ipv4.conf.r1.rp_filter=0; ip -n r route del 10.0.1.2/32 dev r2",
			dst: "10.0.2.2", code: reach.RPFilter, dropped: "request r IP_RPFILTER",
		},
		{
			name: "forwarding", do: "ip netns exec r sysctl -qw net.ipv4.ip_forward=0", undo: "ip netns exec r sysctl -qw net.ipv4.ip_forward=1",
			dst: "10.0.2.2", code: reach.ForwardingDisabled, dropped: "request r IP_INADDRERRORS",
		},
		{
			name: "too-big", do: "ip -n r link set r2 mtu 1300; ip -n s link set pr mtu 1300; ip -n s link set br0 mtu 1300", undo: "ip -n r link set r2 mtu 1500; ip -n s link set pr mtu 1500; ip -n s link set br0 mtu 1500",
			dst: "10.0.2.2", size: 1400, code: reach.MTUExceeded, dropped: "request r PKT_TOO_BIG",
		},
		{name: "neighbour", dst: "10.0.2.77", code: reach.NeighbourFailed, dropped: "request r NEIGH_FAILED"},
		{name: "no-route-back", do: "ip -n b route del default", undo: "ip -n b route add default via 10.0.2.1", dst: "10.0.2.2:80", code: reach.NoReturnRoute},
		// Last: the table stays when its rules are gone.
		{
			name: "legacy", do: "ip netns exec r iptables-legacy -A FORWARD -d 10.0.2.2 -j DROP", undo: "ip netns exec r iptables-legacy -F",
			dst: "10.0.2.2", code: reach.FilterDrop, dropped: "request r NETFILTER_DROP", unseen: "iptables-legacy (filter) are not traced",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.do != "" {
				sh(t, tt.do)
			}
			v, err := w.WhyLive(t.Context(), warren.WhyQuery{Source: "a", Destination: tt.dst, Size: tt.size})
			if tt.undo != "" {
				sh(t, tt.undo)
			}
			if err != nil {
				t.Fatal(err)
			}
			judged(t, &v, tt.code, tt.dropped, tt.object)
			if tt.unseen == "" != (len(v.Live.Unseen) == 0) || tt.unseen != "" && !strings.Contains(v.Live.Unseen[0].Text, tt.unseen) {
				t.Errorf("unseen: %+v, want %q", v.Live.Unseen, tt.unseen)
			}
			if tt.name == "neighbour" && !slices.ContainsFunc(v.Live.Neighbours, func(n warren.LiveNeighbour) bool {
				return n.Namespace == "r" && n.Link == "r2" && n.IP.String() == "10.0.2.77" && n.State == "failed"
			}) {
				t.Errorf("neighbours: %+v", v.Live.Neighbours)
			}
			if tt.name == "nat" && !slices.ContainsFunc(v.Live.Events, func(e warren.LiveEvent) bool {
				return e.Namespace == "b" && e.Event == "received" && strings.HasSuffix(e.Packet, "> 10.0.2.2:80 tcp") && strings.HasPrefix(e.Packet, "10.0.2.1:")
			}) {
				t.Errorf("the translated request was not seen in b: %+v", v.Live.Events)
			}
		})
	}
	if left := sh(t, "for n in a r s b; do ip netns exec $n nft -j list ruleset; done"); strings.Contains(left, "warren") {
		t.Errorf("left behind: %s", left)
	}
}

// judged checks that the kernel agrees, and what it named.
func judged(t *testing.T, v *warren.LiveVerdict, code reach.Code, dropped, object string) {
	t.Helper()
	l := &v.Live
	got, where, what := reach.Code(""), "", ""
	if v.Reason != nil {
		got = v.Reason.Code
	}
	if l.Dropped != nil {
		where = l.Dropped.Direction + " " + l.Dropped.Namespace + " " + l.Dropped.Reason
		what = l.Dropped.Object
	}
	if l.Agrees != reach.Yes || got != code || where != dropped || object != "" && (!regexp.MustCompile(object).MatchString(what) || what != v.Reason.Object) {
		t.Errorf("agrees %s, code %q at %q by %q; want %q at %q by %q\n%s\n%+v", l.Agrees, got, where, what, code, dropped, object, l.Text, l.Events)
	}
	for _, c := range l.Steps {
		switch {
		case c.Status == "contradicted", code == "" && c.Status != "confirmed" && (!strings.Contains(l.Text, "nobody answered") || c.Direction == reach.Request):
			t.Errorf("step %s %d is %s: %s", c.Direction, c.Seq, c.Status, c.Text)
		case code != "" && c.Direction == *v.Failed && c.Seq == v.Reason.Step && c.Status != "confirmed":
			t.Errorf("the step at which it dies is %s: %s", c.Status, c.Text)
		}
	}
}

// TestWhyLiveKernelIsRight lets the world change between the walk and the probe: the kernel's answer counts.
func TestWhyLiveKernelIsRight(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "nftables", "bpf-syscall", "exec:ip", "exec:nft", "exec:ping", "root")
	change := ""
	w := openLive(t, warren.Options{Point: func(name string) {
		if name == "live-armed" {
			sh(t, change)
		}
	}})
	change = nftIn("r", "table inet f { chain c { type filter hook forward priority 0; icmp type echo-request drop; }; }")
	v, err := w.WhyLive(t.Context(), warren.WhyQuery{Source: "a", Destination: "10.0.2.2"})
	if err != nil {
		t.Fatal(err)
	}
	if v.Reachable != reach.No || v.Live.Agrees != reach.No || v.Live.Model == nil || v.Live.Model.Reachable != reach.Yes || v.Reason == nil || v.Reason.Code != reach.FilterDrop || v.Reason.Namespace != "r" {
		t.Errorf("got %s, agrees %s, model %+v, reason %+v", v.Reachable, v.Live.Agrees, v.Live.Model, v.Reason)
	}
	change = "ip netns exec r nft flush ruleset"
	if v, err = w.WhyLive(t.Context(), warren.WhyQuery{Source: "a", Destination: "10.0.2.2"}); err != nil {
		t.Fatal(err)
	}
	if v.Reachable != reach.Yes || v.Live.Agrees != reach.No || v.Live.Model == nil || v.Live.Model.Reason == nil || v.Live.Model.Reason.Code != reach.FilterDrop || v.Reason != nil {
		t.Errorf("got %s, agrees %s, model %+v, reason %+v", v.Reachable, v.Live.Agrees, v.Live.Model, v.Reason)
	}
}

// TestWhyLiveLeavesNothing looks with other programs' eyes: while the probe is armed there are tables that belong to a socket,
// and BPF programs; afterwards there is neither.
func TestWhyLiveLeavesNothing(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "nftables", "bpf-syscall", "exec:ip", "exec:nft", "exec:ping", "root")
	var programs []ebpf.ProgramID
	w := openLive(t, warren.Options{Point: func(name string) {
		for _, ns := range []string{"a", "r", "s", "b"} {
			// As text: nft 1.0.6 does not know how to write the flag as JSON, and breaks off.
			out := sh(t, "ip netns exec "+ns+" nft list ruleset")
			if !strings.Contains(out, "table ip warren-why-") || !strings.Contains(out, "flags owner") {
				t.Errorf("%s: in %s there is no table with an owner: %s", name, ns, out)
			}
		}
		programs = ownPrograms(t)
	}})
	if _, err := w.WhyLive(t.Context(), warren.WhyQuery{Source: "a", Destination: "10.0.2.2"}); err != nil {
		t.Fatal(err)
	}
	if len(programs) != 4 {
		t.Errorf("%d programs were loaded", len(programs))
	}
	for _, id := range programs {
		kerneltest.Eventually(t, 20*time.Second, func() error {
			p, err := ebpf.NewProgramFromID(id)
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			if err == nil {
				_ = p.Close()
			}
			return fmt.Errorf("program %d is still there (%w)", id, err)
		})
	}
	for _, ns := range []string{"a", "r", "s", "b"} {
		if out := sh(t, "ip netns exec "+ns+" nft -j list ruleset"); strings.Contains(out, `"table"`) {
			t.Errorf("left in %s: %s", ns, out)
		}
	}
	// A caller that gives up leaves nothing either.
	ctx, cancel := context.WithCancel(t.Context())
	w2, err := warren.Open(warren.Options{Point: func(string) { cancel() }})
	if err != nil {
		t.Fatal(err)
	}
	defer w2.Close()
	if _, err := w2.WhyLive(ctx, warren.WhyQuery{Source: "a", Destination: "10.0.2.77"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if out := sh(t, "ip netns exec a nft list ruleset"); strings.TrimSpace(out) != "" {
		t.Errorf("left: %s", out)
	}
}

// ownPrograms lists the BPF programs that this process has open.
func ownPrograms(t *testing.T) []ebpf.ProgramID {
	t.Helper()
	var out []ebpf.ProgramID
	files, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile("/proc/self/fdinfo/" + f.Name())
		if err != nil || !strings.Contains(string(text), "prog_type:") {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if id, ok := strings.CutPrefix(line, "prog_id:"); ok {
				var n uint32
				if _, err := fmt.Sscan(id, &n); err == nil && !slices.Contains(out, ebpf.ProgramID(n)) {
					out = append(out, ebpf.ProgramID(n))
				}
			}
		}
	}
	return out
}

// TestWhyLiveKilled kills the real program while its trace rules are in place: the kernel takes them away.
func TestWhyLiveKilled(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "nftables", "exec:ip", "exec:nft", "exec:ping")
	openLive(t, warren.Options{})
	if !killedAt(t, 1, "why", "a", "10.0.2.77", "--live") {
		t.Fatal("the program has no point at which its rules are in place")
	}
	for _, ns := range []string{"a", "r", "s", "b"} {
		kerneltest.Eventually(t, 20*time.Second, func() error {
			if out := sh(t, "ip netns exec "+ns+" nft list ruleset"); strings.TrimSpace(out) != "" {
				return fmt.Errorf("left in %s: %s", ns, out)
			}
			return nil
		})
	}
}
