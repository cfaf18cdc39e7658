package drops_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warren/internal/drops"
	"warren/internal/kerneltest"
	"warren/internal/kstruct"
	"warren/netns"
	"warren/reach"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// sh runs commands of others; those whose packets are to die may fail.
func sh(t *testing.T, script string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sh", "-euc", script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// TestDropsAreTold builds a router between two others and lets packets die in it in several ways.
func TestDropsAreTold(t *testing.T) {
	kerneltest.Need(t, "bpf-syscall", "veth", "exec:ip", "exec:nft", "exec:ping", "exec:bash", "exec:python3")
	kerneltest.LeakCheck(t)
	sh(t, `
for n in da dr db; do ip netns add $n; ip -n $n link set lo up; ip netns exec $n sysctl -qw net.ipv6.conf.default.disable_ipv6=1; done
ip link add va netns da type veth peer name r1 netns dr
ip link add vb netns db type veth peer name r2 netns dr
ip -n da addr add 10.0.1.2/24 dev va; ip -n dr addr add 10.0.1.1/24 dev r1; ip -n dr addr add 10.0.2.1/24 dev r2; ip -n db addr add 10.0.2.2/24 dev vb
ip -n da link set va up; ip -n dr link set r1 up; ip -n dr link set r2 up; ip -n db link set vb up
ip -n da route add default via 10.0.1.1; ip -n db route add default via 10.0.2.1`)
	defer sh(t, `ip netns del da; ip netns del dr; ip netns del db; umount /run/netns; rmdir /run/netns`)
	cookies := map[uint64]string{}
	for _, n := range []string{"da", "dr", "db"} {
		h, err := netns.OpenPath(netns.Dir + "/" + n)
		if err != nil {
			t.Fatal(err)
		}
		cookies[h.Cookie()] = n
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	r, err := drops.Open()
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan drops.Event, 1000)
	done := make(chan error)
	go func() {
		for {
			e, err := r.Read()
			if err != nil {
				done <- err
				return
			}
			if cookies[e.Cookie] != "" && !e.Harmless() {
				events <- e
			}
		}
	}()
	for _, tt := range []struct {
		name, before, send string
		ns, link, packet   string
		code               reach.Code
	}{
		{"not-forwarded", "ip netns exec dr sysctl -qw net.ipv4.ip_forward=0", "ping -c1 -W1 10.0.2.2", "dr", "r1", "10.0.1.2 > 10.0.2.2 icmp", reach.ForwardingDisabled},
		{"no-route", "ip netns exec dr sysctl -qw net.ipv4.ip_forward=1", "ping -c1 -W1 10.9.9.9", "dr", "r1", "10.0.1.2 > 10.9.9.9 icmp", reach.NoRoute},
		{"no-listener", "", "bash -c 'echo > /dev/udp/10.0.2.2/99'", "db", "vb", " > 10.0.2.2:99 udp", reach.NoListener},
		{"ttl", "", "ping -c1 -W1 -t1 10.0.2.2", "dr", "r1", "10.0.1.2 > 10.0.2.2 icmp", reach.TTLExceeded},
		{
			"filtered", `ip netns exec dr nft "add table ip f; add chain ip f c { type filter hook forward priority 0; }; add rule ip f c drop"`,
			"ping -c1 -W1 10.0.2.2", "dr", "r1", "10.0.1.2 > 10.0.2.2 icmp", reach.FilterDrop,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.before != "" {
				sh(t, tt.before)
			}
			sh(t, "ip netns exec da "+tt.send+" >/dev/null 2>&1 || true")
			select {
			case e := <-events:
				code, text := e.Explain()
				got := []string{cookies[e.Cookie], e.Link, string(code)}
				if diff := cmp.Diff([]string{tt.ns, tt.link, string(tt.code)}, got); diff != "" || !strings.Contains(e.Packet.String(), tt.packet) || text == "" {
					t.Errorf("-want +got:\n%s\npacket %s, want %s\n%+v", diff, e.Packet, tt.packet, e)
				}
			case <-time.After(20 * time.Second):
				t.Error("nothing was told")
			}
			for len(events) > 0 { // the echo of a datagram that nobody wanted, and the like
				<-events
			}
		})
	}
	t.Run("nothing-for-success", func(t *testing.T) {
		sh(t, "ip netns exec dr nft flush ruleset; ip netns exec da ping -c2 -i0.1 -W5 10.0.2.2 >/dev/null")
		sh(t, "ip netns exec da bash -c 'echo > /dev/udp/10.0.2.2/98'") // comes after all of them
		select {
		case e := <-events:
			if e.Packet.Dst.Port() != 98 {
				t.Errorf("a ping that was answered made %s in %s: %s @ %s", e.Packet, cookies[e.Cookie], e.Reason, e.Function)
			}
		case <-time.After(20 * time.Second):
			t.Error("nothing was told")
		}
	})
	// What comes to a socket that wants nothing any more has left its device: the socket's namespace is told (Linux 6.10).
	if f, err := kstruct.Load(); err == nil && f.Offset("trace_event_raw_kfree_skb", "rx_sk") != 0 {
		t.Run("by-its-receiver", func(t *testing.T) {
			sh(t, `ip netns exec db python3 -c '
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
c = socket.create_connection(s.getsockname()); a, _ = s.accept()
a.shutdown(socket.SHUT_RDWR); c.send(b"x")'`)
			late := time.After(20 * time.Second)
			for {
				select {
				case e := <-events:
					if cookies[e.Cookie] == "db" && e.Link == "" && e.Packet.Proto == 6 {
						return
					}
				case <-late:
					t.Fatal("nothing was told")
				}
			}
		})
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, os.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
}
