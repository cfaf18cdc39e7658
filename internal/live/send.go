package live

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nsock"
	"warren/internal/probe"
)

// A Question is the packet to send.
type Question struct {
	Proto uint8 // 1 (also for ICMPv6), 6, 17
	Dst   netip.Addr
	Port  uint16
	From  netip.Addr // zero = the kernel's choice
	Mark  uint32
	TTL   uint8 // 0 = the system's
	// Size of the IP packet in bytes, not to be fragmented; of TCP that of the first data packet. 0 = a small one, of TCP none.
	Size int
	// Expected is the source address that the model expects: what a TCP connection leaves from is known only when it is made.
	Expected netip.Addr
}

func (q *Question) v6() bool { return q.Dst.Is6() }

// A shot is a probe that is ready to be sent.
type shot struct {
	q     Question
	token []byte
	// flows are those that the probe can be of: of one, or, of TCP, as many as it can leave from.
	flows []tuple
	s     *socket
	to    unix.Sockaddr // nil: the socket is connected
}

// aim opens the probe's socket, so that everything about it is known before it is sent.
func aim(in Inside, q Question, token uint64) (*shot, error) {
	sh := &shot{q: q, token: binary.BigEndian.AppendUint64(nil, token)}
	typ, proto := unix.SOCK_DGRAM, unix.IPPROTO_UDP
	switch q.Proto {
	case protoICMP, protoICMPv6:
		typ, proto = unix.SOCK_RAW, unix.IPPROTO_ICMP
		if q.v6() {
			proto = unix.IPPROTO_ICMPV6
		}
	case protoTCP:
		typ, proto = unix.SOCK_STREAM, unix.IPPROTO_TCP
	}
	s, err := openSocket(in, q, typ, proto)
	if err != nil {
		return nil, fmt.Errorf("open the probe's socket: %w", err)
	}
	sh.s = s
	if q.Proto == protoTCP {
		err = sh.aimTCP(in)
	} else {
		err = sh.aimPacket(in, typ, proto, uint16(token))
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return sh, nil
}

// aimPacket connects: the kernel chooses addresses and port as it will for the packet. The socket of an echo stays unconnected, as
// ping's does: what it hears may come from another address than was asked.
func (sh *shot) aimPacket(in Inside, typ, proto int, id uint16) error {
	q := &sh.q
	s, port := sh.s, q.Port
	if q.Proto != protoUDP {
		other, err := openSocket(in, sh.q, typ, proto)
		if err != nil {
			return fmt.Errorf("open the probe's socket: %w", err)
		}
		defer other.close()
		s, port = other, 0
	}
	to, err := s.Address(q.Dst, port)
	if err != nil {
		return err
	}
	if err := s.Control(func(fd int) error { return unix.Connect(fd, to) }); err != nil {
		return &sendError{err}
	}
	src := s.local()
	if q.Proto != protoUDP {
		src, port, sh.to = netip.AddrPortFrom(src.Addr(), id), id, to
	}
	sh.flows = []tuple{{uint8(proto), src, netip.AddrPortFrom(q.Dst.WithZone(""), port)}}
	return nil
}

// aimTCP binds the port. The address is known only when the connection is made: it is asked for by a socket that sends
// nothing, and the model knows one, too.
func (sh *shot) aimTCP(in Inside) error {
	if !sh.q.From.IsValid() {
		any := netip.IPv4Unspecified()
		if sh.q.v6() {
			any = netip.IPv6Unspecified()
		}
		to, err := sh.s.Address(any, 0)
		if err == nil {
			err = sh.s.Control(func(fd int) error { return unix.Bind(fd, to) })
		}
		if err != nil {
			return fmt.Errorf("bind the probe's socket: %w", err)
		}
	}
	own := sh.s.local()
	dst := netip.AddrPortFrom(sh.q.Dst.WithZone(""), sh.q.Port)
	add := func(a netip.Addr) {
		t := tuple{protoTCP, netip.AddrPortFrom(a.WithZone(""), own.Port()), dst}
		if !slices.Contains(sh.flows, t) {
			sh.flows = append(sh.flows, t)
		}
	}
	if sh.q.From.IsValid() {
		add(sh.q.From)
		return nil
	}
	if s, err := openSocket(in, sh.q, unix.SOCK_DGRAM, unix.IPPROTO_UDP); err == nil {
		if to, err := s.Address(sh.q.Dst, sh.q.Port); err == nil {
			if s.Control(func(fd int) error { return unix.Connect(fd, to) }) == nil {
				add(s.local().Addr())
			}
		}
		s.close()
	}
	if sh.q.Expected.IsValid() {
		add(sh.q.Expected)
	}
	if len(sh.flows) == 0 {
		add(netip.AddrFrom4([4]byte{}))
	}
	return nil
}

// sendError is an error of a packet that did not leave: an answer, no failure of the probe.
type sendError struct{ err error }

func (e *sendError) Error() string { return e.err.Error() }
func (e *sendError) Unwrap() error { return e.err }

// send sends the probe and waits for the answer, until ctx ends. A cancelled context is silence.
func (sh *shot) send(ctx context.Context, timeout time.Duration) probe.Result {
	if sh.q.Proto == protoTCP {
		return sh.connect(ctx, timeout)
	}
	start := time.Now()
	payload := sh.payload()
	if err := sh.s.Control(func(fd int) error { return unix.Sendto(fd, payload, 0, sh.to) }); err != nil {
		return refused(err, sh.q.Dst)
	}
	stop := sh.s.Until(ctx, start.Add(timeout))
	defer stop()
	buf := make([]byte, 65536)
	for {
		var n int
		var from unix.Sockaddr
		var notice *icmpNotice
		err := sh.s.Read(func(fd int) error {
			if notice = sh.s.offender(fd, sh.quotes); notice != nil {
				return nil
			}
			var err error
			n, from, err = unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
			return err
		})
		took := time.Since(start)
		switch {
		case notice != nil:
			r := notice.result()
			r.Took = took
			return r
		case errors.Is(err, os.ErrDeadlineExceeded):
			return silence()
		case err != nil && sh.q.Proto != protoUDP:
			continue // an error whose message comes too, or is not ours
		case err != nil:
			r := refused(err, sh.q.Dst)
			r.Took = took
			return r
		case sh.answers(buf[:n]):
			who := sh.q.Dst
			if sh.to != nil {
				who = senderOf(from, who)
			}
			return probe.Result{OK: true, Code: probe.OK, Detail: fmt.Sprintf("answer from %s", who), Took: took, From: who}
		}
	}
}

// senderOf is the address of who sent; one with a zone is as it was asked for.
func senderOf(from unix.Sockaddr, asked netip.Addr) netip.Addr {
	var a netip.Addr
	switch f := from.(type) {
	case *unix.SockaddrInet4:
		a = netip.AddrFrom4(f.Addr)
	case *unix.SockaddrInet6:
		a = netip.AddrFrom16(f.Addr)
	}
	if !a.IsValid() || a == asked.WithZone("") {
		return asked
	}
	return a
}

func silence() probe.Result {
	return probe.Result{Code: probe.Timeout, Detail: "no answer"}
}

// payload is what follows the IP header of a raw socket, or the UDP header.
func (sh *shot) payload() []byte {
	ip, icmp := header4, sh.q.Proto != protoUDP
	if sh.q.v6() {
		ip = header6
	}
	size := 8 + len(sh.token)
	if sh.q.Size != 0 {
		size = sh.q.Size - ip
	}
	b := make([]byte, max(size, 8))
	copy(b[8:], sh.token)
	for i := 8 + len(sh.token); i < len(b); i++ {
		b[i] = byte(i)
	}
	if !icmp {
		return b[8:]
	}
	b[0] = 8
	if sh.q.v6() {
		b[0] = 128 // the kernel fills in the checksum
	}
	binary.BigEndian.PutUint16(b[4:], sh.flows[0].src.Port())
	binary.BigEndian.PutUint16(b[6:], 1)
	if !sh.q.v6() {
		binary.BigEndian.PutUint16(b[2:], nsock.Checksum(b))
	}
	return b
}

// answers reports whether a raw socket received the reply to our echo. Any datagram answers ours.
func (sh *shot) answers(b []byte) bool {
	if sh.q.Proto == protoUDP {
		return true
	}
	typ := byte(129)
	if !sh.q.v6() {
		n := ipHeader(b)
		if n == 0 {
			return false
		}
		b, typ = b[n:], 0
	}
	if len(b) < 8 || b[0] != typ || binary.BigEndian.Uint16(b[4:]) != sh.flows[0].src.Port() {
		return false
	}
	n := min(len(b)-8, len(sh.token))
	return string(b[8:8+n]) == string(sh.token[:n])
}

// quotes reports whether what an ICMP error quotes from our protocol's header on is our packet.
func (sh *shot) quotes(b []byte) bool {
	if sh.q.Proto == protoUDP {
		return true // the socket is connected
	}
	return len(b) < 8 || binary.BigEndian.Uint16(b[4:]) == sh.flows[0].src.Port()
}

// connect opens the connection, and sends data of the wanted size. What follows the handshake is watched for a moment: a lost
// third packet is not seen by who connects.
func (sh *shot) connect(ctx context.Context, timeout time.Duration) probe.Result {
	start := time.Now()
	r := probe.TCP(ctx, opener{sh}, netip.AddrPortFrom(sh.q.Dst, sh.q.Port), probe.Options{Timeout: timeout})
	if !r.OK {
		if ctx.Err() != nil {
			r = silence()
		}
		return r
	}
	if sh.q.Size == 0 {
		return r
	}
	if err := sh.push(ctx, start.Add(timeout)); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return probe.Result{Code: probe.Timeout, Detail: fmt.Sprintf("connected, but data in packets of %d bytes is not acknowledged", sh.q.Size), From: sh.q.Dst}
		}
		return refused(err, sh.q.Dst)
	}
	r.Detail = fmt.Sprintf("connected, and data in a packet of %d bytes was acknowledged", sh.q.Size)
	return r
}

// push sends one packet full of data and waits until it is acknowledged.
func (sh *shot) push(ctx context.Context, deadline time.Time) error {
	head := header4
	if sh.q.v6() {
		head = header6
	}
	head += 20
	err := sh.s.Control(func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.SOL_TCP, unix.TCP_INFO)
		if err == nil && info.Options&1 != 0 { // TCPI_OPT_TIMESTAMPS
			head += 12
		}
		return err
	})
	if err != nil {
		return err
	}
	data := make([]byte, max(sh.q.Size-head, 1))
	stop := sh.s.Until(ctx, deadline)
	defer stop()
	if _, err := sh.s.File.Write(data); err != nil {
		return err
	}
	for {
		var queued int
		if err := sh.s.Control(func(fd int) (err error) {
			queued, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ)
			return err
		}); err != nil || queued == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return os.ErrDeadlineExceeded
		case <-time.After(5 * time.Millisecond):
			if time.Now().After(deadline) {
				return os.ErrDeadlineExceeded
			}
		}
	}
}

// opener gives a copy of the socket that is bound already to package probe: closing that does not end the connection.
type opener struct{ sh *shot }

func (o opener) Socket(int, int, int) (int, error) {
	fd := -1
	err := o.sh.s.Control(func(own int) (err error) {
		fd, err = unix.FcntlInt(uintptr(own), unix.F_DUPFD_CLOEXEC, 3)
		return err
	})
	return fd, err
}

func (sh *shot) close() { sh.s.close() }

// refused is a system call's error about a packet that did not leave, or was refused.
func refused(err error, target netip.Addr) probe.Result {
	r := probe.Result{Code: probe.Unreachable, Detail: err.Error()}
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		r = probe.Result{Code: probe.Refused, Detail: "refused by " + target.String(), From: target}
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		r.Code = probe.Prohibited
	case errors.Is(err, unix.EMSGSIZE):
		r.Code = probe.TooBig
	}
	if _, ok := errors.AsType[syscall.Errno](err); !ok {
		r.Code = probe.Failed
	}
	return r
}
