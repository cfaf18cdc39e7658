package forward

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// udpIdle is how long a peer's answers are waited for.
	udpIdle = time.Minute
	// maxPeers is how many peers a port remembers: each costs a socket.
	maxPeers = 2048
	// maxDatagram is the largest.
	maxDatagram = 64 << 10
)

// A flow is what answers belong to: who sent, and to which of our addresses, which the answer has to come from.
type flow struct {
	from  netip.AddrPort
	local netip.Addr
}

// A udp is a port at work.
type udp struct {
	l    *net.UDPConn
	dial func(ctx context.Context, from netip.AddrPort) (*net.UDPConn, error)

	mu    sync.Mutex
	peers map[flow]*net.UDPConn
	all   sync.WaitGroup
}

// UDP passes on datagrams until the socket is closed or ctx ends. Each peer has a socket of its own towards the other
// side; what comes back there goes to the peer, from the address that the peer wrote to. Peers are forgotten after a
// minute without an answer.
func UDP(ctx context.Context, l *net.UDPConn, dial func(ctx context.Context, from netip.AddrPort) (*net.UDPConn, error)) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	if err := wantLocal(l); err != nil {
		return fmt.Errorf("ask for the addresses that datagrams come to: %w", err)
	}
	u := &udp{l: l, dial: dial, peers: map[flow]*net.UDPConn{}}
	defer u.all.Wait()
	defer u.forget()
	buf, oob := make([]byte, maxDatagram), make([]byte, 128)
	for {
		n, oobn, _, from, err := l.ReadMsgUDPAddrPort(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue // an ICMP error for an answer
		}
		local, link := localOf(oob[:oobn])
		f := flow{from: from, local: local}
		if out := u.peer(ctx, f, link); out != nil {
			_, _ = out.Write(buf[:n]) // lost, as UDP may be
		}
	}
}

// peer is the socket for a flow, a new one when there is none.
func (u *udp) peer(ctx context.Context, f flow, link uint32) *net.UDPConn {
	u.mu.Lock()
	out, n := u.peers[f], len(u.peers)
	u.mu.Unlock()
	if out != nil || n >= maxPeers {
		return out
	}
	out, err := u.dial(ctx, netip.AddrPortFrom(f.from.Addr().Unmap(), f.from.Port()))
	if err != nil {
		return nil
	}
	u.mu.Lock()
	u.peers[f] = out
	u.mu.Unlock()
	u.all.Go(func() {
		u.answers(out, f, link)
		u.mu.Lock()
		delete(u.peers, f)
		u.mu.Unlock()
		_ = out.Close()
	})
	return out
}

func (u *udp) answers(out *net.UDPConn, f flow, link uint32) {
	buf, oob := make([]byte, maxDatagram), fromLocal(f.local, link)
	for {
		_ = out.SetReadDeadline(time.Now().Add(udpIdle))
		n, err := out.Read(buf)
		if errors.Is(err, unix.ECONNREFUSED) {
			continue
		}
		if err != nil {
			return
		}
		_, _, _ = u.l.WriteMsgUDPAddrPort(buf[:n], oob, f.from)
	}
}

// forget ends the flows.
func (u *udp) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, out := range u.peers {
		_ = out.Close()
	}
}

// wantLocal makes the kernel tell with each datagram which address it came to (ip(7), ipv6(7)).
func wantLocal(l *net.UDPConn) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		domain, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DOMAIN)
		switch {
		case err != nil:
			set = err
		case domain == unix.AF_INET6:
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		default:
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		}
	})
	return errors.Join(err, set)
}

// localOf reads the address that a datagram came to. The link counts for link-local ones only.
func localOf(oob []byte) (local netip.Addr, link uint32) {
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.Addr{}, 0
	}
	for i := range msgs {
		m := &msgs[i]
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4([4]byte(m.Data[4:8])), 0 // ipi_spec_dst: ours, also for a broadcast
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo:
			a := netip.AddrFrom16([16]byte(m.Data[:16]))
			if a.IsLinkLocalUnicast() {
				link = binary.NativeEndian.Uint32(m.Data[16:20])
			}
			return a, link
		}
	}
	return netip.Addr{}, 0
}

// fromLocal is the control message that makes an answer come from an address.
func fromLocal(local netip.Addr, link uint32) []byte {
	switch {
	case local.Is4():
		return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: local.As4()})
	case local.Is6():
		return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: local.As16(), Ifindex: link})
	default:
		return nil
	}
}
