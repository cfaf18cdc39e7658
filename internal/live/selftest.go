package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// selfTestWait is how long a witness may take to tell of the packet of the self-test. Usually it has told before anybody asks.
const selfTestWait = 5 * time.Second

// selfTest lets the witnesses tell of a packet on lo of a scratch namespace that nobody else knows of. One that does not is
// not believed: it is closed, or named in the report. The namespace is gone when its sockets are closed.
func (c *collector) selfTest(ctx context.Context) {
	t := &trial{v6: c.o.Question.v6(), table: c.table + "-test"}
	defer t.close()
	if err := netns.Scratch(t.prepare); err != nil {
		c.blind("self-test", "", "the probes could not be tried out: "+err.Error())
		return
	}
	for _, u := range t.station.unseen {
		c.blind(u.Witness, "", "self-test: "+u.Text)
	}
	if c.eyes != nil {
		if err := c.eyes.follow(t.flow); err != nil {
			c.blind(ByBPF, "", err.Error())
		}
	}
	marked, sent, dropped, neighbour := t.run(ctx, c.eyes)
	if t.station.trace != nil && !marked {
		c.blind(ByTrace, "", "self-test: the kernel does not tell of a packet that a rule marked for tracing")
	}
	if t.station.neigh != nil && !neighbour {
		c.blind(ByNeighbour, "", "self-test: the kernel does not tell of a neighbour that changed")
	}
	if c.eyes != nil && (!sent || !dropped) {
		c.blind(ByBPF, "", "self-test: the programs do not see a packet that was sent over lo and dropped")
		_ = c.eyes.close()
		c.eyes = nil
	}
}

// A trial is the self-test.
type trial struct {
	v6      bool
	table   string
	station *station
	flow    tuple
	fd      int // sends
	to      unix.Sockaddr
	route   *nl.Conn
}

// prepare runs inside of the scratch namespace: only sockets leave it.
func (t *trial) prepare(in *netns.Inside) error {
	t.fd = -1
	if err := netns.LoopbackUp(); err != nil {
		return err
	}
	addr, domain := netip.AddrFrom4([4]byte{127, 0, 0, 1}), unix.AF_INET
	if t.v6 {
		addr, domain = netip.IPv6Loopback(), unix.AF_INET6
	}
	var err error
	if t.fd, err = in.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	s := func(port int) unix.Sockaddr {
		if t.v6 {
			return &unix.SockaddrInet6{Addr: addr.As16(), Port: port}
		}
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: port}
	}
	const port = 9 // nobody listens here
	t.to = s(port)
	if err := unix.Bind(t.fd, s(0)); err != nil {
		return fmt.Errorf("bind %s: %w", addr, err)
	}
	own, err := unix.Getsockname(t.fd)
	if err != nil {
		return err
	}
	src := uint16(0)
	switch a := own.(type) {
	case *unix.SockaddrInet4:
		src = uint16(a.Port)
	case *unix.SockaddrInet6:
		src = uint16(a.Port)
	}
	t.flow = tuple{protoUDP, netip.AddrPortFrom(addr, src), netip.AddrPortFrom(addr, port)}
	t.station = openStation(in, "the scratch namespace", t.v6, t.table, selections(t.flow, nil))
	if t.station.cookie, err = unix.GetsockoptUint64(t.fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE); err != nil {
		return fmt.Errorf("ask for the namespace's cookie: %w", err)
	}
	t.route, err = in.Netlink(unix.NETLINK_ROUTE)
	return err
}

// run sends the packet, changes a neighbour, and says what was told of it.
func (t *trial) run(ctx context.Context, eyes *eyes) (marked, sent, dropped, neighbour bool) {
	ctx, cancel := context.WithTimeout(ctx, selfTestWait)
	defer cancel()
	var mu sync.Mutex
	want := 0
	done := func(what *bool) {
		mu.Lock()
		defer mu.Unlock()
		if !*what {
			*what = true
			if want--; want == 0 {
				cancel()
			}
		}
	}
	if eyes != nil {
		want += 2
	}
	if t.station.trace != nil {
		want++
	}
	if t.station.neigh != nil {
		want++
	}
	if want == 0 {
		return
	}
	var wait sync.WaitGroup
	if eyes != nil {
		wait.Go(func() {
			for {
				r, ok := eyes.read()
				if !ok {
					return
				}
				switch p, ok := parse(r.packet); {
				case !ok || p.tuple != t.flow || r.cookie != t.station.cookie:
				case r.kind == kindSent && r.link == "lo":
					done(&sent)
				case r.kind == kindDropped && eyes.reasons.Name(r.reason) != "":
					done(&dropped)
				}
			}
		})
	}
	if t.station.trace != nil {
		wait.Go(func() {
			_ = t.station.followTrace(ctx, func(m traced) {
				if p, ok := parse(m.packet); ok && p.tuple == t.flow {
					done(&marked)
				}
			})
		})
	}
	if t.station.neigh != nil {
		wait.Go(func() {
			_ = receive(ctx, t.station.neigh, func(typ uint16, _ []byte) {
				if typ == unix.RTM_NEWNEIGH {
					done(&neighbour)
				}
			})
		})
	}
	_ = unix.Sendto(t.fd, []byte("warren self-test"), 0, t.to)
	_ = t.marry()
	<-ctx.Done()
	if eyes != nil {
		_ = eyes.flush()
	}
	wait.Wait()
	return marked, sent, dropped, neighbour
}

// marry adds a neighbour on lo.
func (t *trial) marry() error {
	ip := netip.AddrFrom4([4]byte{192, 0, 2, 1})
	if t.v6 {
		ip = netip.MustParseAddr("2001:db8::1")
	}
	var names rtnl.NameTable
	names.Set(1, "lo")
	req, err := rtnl.CreateNeighbor(state.Neighbor{Link: "lo", IP: ip, MAC: state.MAC{2, 0, 0, 0, 0, 1}, State: "reachable"}, &names)
	if err != nil {
		return err
	}
	return errors.Join(t.route.Batch([]nl.Request{req})...)
}

func (t *trial) close() {
	if t.station != nil {
		_ = t.station.close()
	}
	if t.route != nil {
		_ = t.route.Close()
	}
	if t.fd > 0 {
		_ = unix.Close(t.fd)
	}
}
