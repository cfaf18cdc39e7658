package filter_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nft"
	"warren/netns"
	"warren/reach/filter"
	"warren/state"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// TestAgainstTheKernel loads random rules into a namespace, sends it a datagram from outside, and compares: whether it
// arrived, at which port, and what the evaluator said. WARREN_RULESETS asks for more of them, WARREN_SEED for others.
func TestAgainstTheKernel(t *testing.T) {
	kerneltest.Need(t, "nftables", "veth", "exec:nft", "exec:ip")
	prime(t)
	kerneltest.LeakCheck(t)
	w := newWire(t)
	sets, seed := 150, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("WARREN_RULESETS")); err == nil {
		sets = n
	}
	if n, err := strconv.ParseUint(os.Getenv("WARREN_SEED"), 10, 64); err == nil {
		seed = n
	}
	var agree, unknown, refused int
	for i := range sets {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		text := ruleset(rng)
		if !w.load(t, text) {
			refused++ // matches that contradict each other are refused by nft itself
			continue
		}
		for j := range 4 {
			p := datagram(rng, 4*i+j)
			got := w.arrives(t, p)
			want, doubt := w.predict(t, p)
			switch {
			case doubt != "":
				unknown++
				t.Logf("ruleset %d: unknown: %s\n%s", i, doubt, text)
			case got != want:
				t.Fatalf("seed %d, ruleset %d: %+v: arrived at port %d, predicted %d (0: not at all)\n%s", seed, i, p, got, want, text)
			default:
				agree++
			}
		}
	}
	t.Logf("agree %d, disagree 0, unknown %d, rulesets refused %d", agree, unknown, refused)
	if refused > sets/3 {
		t.Errorf("nft refused %d of %d rulesets", refused, sets)
	}
	if 100*unknown > 4*sets {
		t.Errorf("%d of %d are unknown", unknown, 4*sets)
	}
}

// prime makes the directory of names, which stays.
func prime(t *testing.T) {
	t.Helper()
	h, err := netns.Create(t.Context(), netns.Dir+"/prime", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Close(), netns.Delete(t.Context(), netns.Dir+"/prime")); err != nil {
		t.Fatal(err)
	}
}

// A wire is a cable from the test's own namespace to another one, with listeners there.
type wire struct {
	h         *netns.Handle
	listeners map[uint16]*net.UDPConn
	control   *net.UDPConn
	tables    []state.Table
	in        state.Link
}

const controlPort = 9

var (
	ours   = netip.MustParseAddr("10.9.0.1")
	theirs = netip.MustParseAddr("10.9.0.2")
	ports  = []uint16{1000, 1001, 1002, 2000}
)

func newWire(t *testing.T) *wire {
	t.Helper()
	h, err := netns.Create(t.Context(), netns.Dir+"/far", nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{h: h, listeners: map[uint16]*net.UDPConn{}}
	t.Cleanup(func() {
		for _, c := range w.listeners {
			_ = c.Close()
		}
		if w.control != nil {
			_ = w.control.Close()
		}
		if err := errors.Join(h.Close(), netns.Delete(context.Background(), netns.Dir+"/far")); err != nil {
			t.Error(err)
		}
	})
	for _, line := range []string{
		"ip link add va type veth peer name vb netns far", "ip addr add 10.9.0.1/24 dev va", "ip link set va up",
		"ip -n far link set lo up", "ip -n far addr add 10.9.0.2/24 dev vb", "ip -n far link set vb up",
	} {
		f := strings.Fields(line)
		if out, err := exec.CommandContext(t.Context(), f[0], f[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	listen := func(port uint16) *net.UDPConn {
		var c *net.UDPConn
		err := h.Do(func() error {
			var err error
			c, err = net.ListenUDP("udp4", &net.UDPAddr{Port: int(port)})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, p := range ports {
		w.listeners[p] = listen(p)
	}
	w.control = listen(controlPort)
	err = h.Do(func() error {
		i, err := net.InterfaceByName("vb")
		if err == nil {
			w.in = state.Link{Name: "vb", Index: i.Index, Kind: "veth", Up: true}
			copy(w.in.MAC[:], i.HardwareAddr)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// load replaces the far namespace's rules; false when nft refuses the text.
func (w *wire) load(t *testing.T, text string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", "far", "nft", "-f", "-")
	cmd.Stdin = strings.NewReader("flush ruleset\n" + text)
	if err := cmd.Run(); err != nil {
		return false
	}
	c, err := w.h.Netlink(unix.NETLINK_NETFILTER)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if w.tables, err = nft.Read(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return true
}

// A probe is a datagram to send.
type probe struct {
	sport, dport uint16
	tos          uint8
	ttl          uint8
	size         int // payload
}

func datagram(r *rand.Rand, n int) probe {
	return probe{
		// Each of 40,000 from a port of its own: no connection is met again.
		sport: uint16(20000 + n*7919%40000), dport: ports[r.IntN(len(ports))], tos: []uint8{0, 0x10, 0xb8}[r.IntN(3)],
		ttl: []uint8{64, 5}[r.IntN(2)], size: []int{10, 500}[r.IntN(2)],
	}
}

// arrives sends the datagram, then one that every ruleset lets through, and says at which port the first came out.
func (w *wire) arrives(t *testing.T, p probe) uint16 {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.UDPAddr{IP: ours.AsSlice(), Port: int(p.sport)}, Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = errors.Join(unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, int(p.tos)),
				unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, int(p.ttl)))
		}), err)
	}}
	c, err := d.DialContext(t.Context(), "udp4", netip.AddrPortFrom(theirs, p.dport).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(make([]byte, p.size)); err != nil {
		t.Fatal(err)
	}
	marker := fmt.Sprint(time.Now().UnixNano())
	m, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: theirs.AsSlice(), Port: controlPort})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Write([]byte(marker)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 2000)
	if err := w.control.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := w.control.Read(buf)
		if err != nil {
			t.Fatalf("the control datagram: %v", err)
		}
		if string(buf[:n]) == marker {
			break
		}
	}
	// What was sent before the control datagram on the same wire is there now, or never comes.
	want, _ := w.predict(t, p)
	for _, port := range ports {
		wait := time.Millisecond
		if port == want {
			wait = 5 * time.Second
		}
		l := w.listeners[port]
		if err := l.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		for {
			_, from, err := l.ReadFromUDPAddrPort(buf)
			if err != nil {
				break
			}
			if from.Port() == p.sport { // else one that came late, for an earlier question
				return port
			}
		}
	}
	return 0
}

// predict asks the evaluator. doubt is its reason when it cannot tell.
func (w *wire) predict(t *testing.T, q probe) (port uint16, doubt string) {
	t.Helper()
	ns := &state.Namespace{Name: "far"}
	ns.Tables = w.tables
	n := filter.New(ns, routes{})
	p := &filter.Packet{
		Src: ours, Dst: theirs, Proto: filter.UDP, SPort: q.sport, DPort: q.dport, TTL: q.ttl, TOS: q.tos, Length: 28 + q.size, DF: true,
		EtherType: filter.EtherIPv4, DstMAC: w.in.MAC,
	}
	for _, hook := range []string{"prerouting", "input"} {
		r := n.Run(filter.Hook{Family: "ip", Name: hook, In: &w.in}, p)
		if len(r.Stops) > 0 {
			if s := r.Stops[0]; s.Kind == filter.Unknown {
				return 0, s.Why
			}
			return 0, ""
		}
	}
	if p.Dst != theirs {
		return 0, ""
	}
	return p.DPort, ""
}

// routes is the far namespace's routing: one address of its own.
type routes struct{}

func (routes) Lookup(q filter.FIBQuery) filter.FIBAnswer {
	if q.Dst == theirs {
		return filter.FIBAnswer{Type: "local"}
	}
	return filter.FIBAnswer{}
}

func (routes) AddrType(a netip.Addr, _ *state.Link) string {
	switch a {
	case theirs:
		return "local"
	case netip.MustParseAddr("10.9.0.255"):
		return "broadcast"
	}
	return "unicast"
}

func (routes) SourceFor(*state.Link, netip.Addr) (netip.Addr, bool) { return theirs, true }
