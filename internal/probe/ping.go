package probe

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Ping sends an echo request and waits for the answer. When the timeout allows it (0.6 s), a lost request is repeated at a
// third and at two thirds of it.
func Ping(ctx context.Context, ns Opener, target netip.Addr, o Options) Result {
	return PingMany(ctx, ns, []netip.Addr{target}, o)[0]
}

// PingMany pings many targets through one socket for each address family: with a socket for each target every one of them
// would get all the answers. Results are in the order of targets.
func PingMany(ctx context.Context, ns Opener, targets []netip.Addr, o Options) []Result {
	out := make([]Result, len(targets))
	var families [2][]int
	for i, t := range targets {
		switch {
		case !t.IsValid():
			out[i] = failed(errors.New("no address"))
		case t.Unmap().Is4():
			families[0] = append(families[0], i)
		default:
			families[1] = append(families[1], i)
		}
	}
	var both sync.WaitGroup
	for f, which := range families {
		if len(which) == 0 {
			continue
		}
		both.Go(func() {
			p, err := newPinger(ns, f == 1, o)
			if err != nil {
				for _, i := range which {
					out[i] = failed(err)
				}
				return
			}
			defer p.s.close()
			jobs := make([]*pingJob, len(which))
			for n, i := range which {
				jobs[n] = &pingJob{target: targets[i].Unmap()}
			}
			p.run(ctx, jobs, o.timeout(packetTimeout))
			for n, i := range which {
				out[i] = jobs[n].result
			}
		})
	}
	both.Wait()
	return out
}

// MTU sends an echo request in an IP packet of exactly size bytes that nobody may fragment, and waits for the answer. A
// packet that is too big for the path is either refused (Code TooBig, with the MTU there) or just lost (Timeout).
func MTU(ctx context.Context, ns Opener, target netip.Addr, size int, o Options) Result {
	target = target.Unmap()
	if !target.IsValid() {
		return failed(errors.New("no address"))
	}
	v6 := target.Is6()
	headers := header4 + echoHeader
	if v6 {
		headers = header6 + echoHeader
	}
	if size < headers || size > 65535 {
		return failed(fmt.Errorf("an echo request to %s has %d to 65535 bytes, not %d", target, headers, size))
	}
	p, err := newPinger(ns, v6, o)
	if err != nil {
		return failed(err)
	}
	defer p.s.close()
	// Probe: do not fragment, and do not believe what was learned about the path before.
	if err := p.s.Set(unix.IP_MTU_DISCOVER, unix.IPV6_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE); err != nil {
		return failed(fmt.Errorf("forbid fragments: %w", err))
	}
	if v6 {
		if err := p.s.Control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_DONTFRAG, 1) }); err != nil {
			return failed(fmt.Errorf("forbid fragments: %w", err))
		}
	}
	j := &pingJob{target: target, size: size - headers + echoHeader}
	p.run(ctx, []*pingJob{j}, o.timeout(packetTimeout))
	r := j.result
	switch {
	case r.OK:
		r.Detail = fmt.Sprintf("a packet of %d bytes passes, %s", size, r.Detail)
	case r.Code == Timeout:
		r.Detail = fmt.Sprintf("a packet of %d bytes vanishes: %s", size, r.Detail)
	default:
		r.Detail = fmt.Sprintf("a packet of %d bytes does not pass: %s", size, r.Detail)
	}
	return r
}

// A pingJob is one target. Its result has a Code when it is done.
type pingJob struct {
	target netip.Addr
	size   int // bytes of the ICMP message; 0 = 64
	ttl    int // 0 = the system's
	sent   []sentEcho
	next   time.Time // when it is sent again
	end    time.Time
	result Result
	last   error // why sending failed for now
	done   bool
	// expired: the TTL ran out, at result.From.
	expired bool
}

type sentEcho struct {
	seq uint16
	at  time.Time
}

// A pinger sends echo requests of one address family.
type pinger struct {
	s       *socket
	id      uint16
	token   uint64
	seq     uint16
	pending map[uint16]*pingJob
}

// window is how many targets wait for an answer at a time, so that answers do not overflow the socket's buffer.
const window = 64

const defaultEcho = 64 // bytes, as ping(8)

func newPinger(ns Opener, v6 bool, o Options) (*pinger, error) {
	proto := unix.IPPROTO_ICMP
	if v6 {
		proto = unix.IPPROTO_ICMPV6
	}
	s, err := openSocket(ns, v6, unix.SOCK_RAW, proto)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.filter(), s.bind(o.Source)); err != nil {
		s.close()
		return nil, err
	}
	var r [10]byte
	if _, err := rand.Read(r[:]); err != nil {
		s.close()
		return nil, err
	}
	return &pinger{
		s: s, id: binary.BigEndian.Uint16(r[:]), token: binary.BigEndian.Uint64(r[2:]),
		pending: map[uint16]*pingJob{},
	}, nil
}

// icmpFilter is ICMP_FILTER of raw(7).
const icmpFilter = 1

// filter keeps away what is neither an answer nor an error: requests of others, router advertisements, ...
func (s *socket) filter() error {
	return s.Control(func(fd int) error {
		if !s.V6 {
			block := ^uint32(1<<echoReply4 | 1<<unreachable4 | 1<<timeExceeded4)
			return unix.SetsockoptInt(fd, unix.SOL_RAW, icmpFilter, int(int32(block)))
		}
		var f unix.ICMPv6Filter
		for i := range f.Data {
			f.Data[i] = ^uint32(0)
		}
		for _, typ := range []int{unreachable6, tooBig6, timeExceeded6, echoReply6} {
			f.Data[typ/32] &^= 1 << (typ % 32)
		}
		return unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &f)
	})
}

// run finishes all jobs.
func (p *pinger) run(ctx context.Context, jobs []*pingJob, timeout time.Duration) {
	again := timeout / 3
	if timeout < 600*time.Millisecond {
		again = timeout
	}
	stop := p.s.Until(ctx, time.Now().Add(timeout))
	defer stop()
	var active []*pingJob
	for {
		now := time.Now()
		kept := active[:0]
		for _, j := range active {
			if !j.done && !now.Before(j.end) {
				p.finish(j, silence(timeout))
				if j.last != nil {
					j.result = localError(j.last, j.target)
				}
			}
			if !j.done {
				kept = append(kept, j)
			}
		}
		active = kept
		for len(jobs) > 0 && len(active) < window {
			jobs[0].end, jobs[0].next = now.Add(timeout), now
			active = append(active, jobs[0])
			jobs = jobs[1:]
		}
		if len(active) == 0 {
			return
		}
		wake := active[0].end
		for _, j := range active {
			if !j.done && !now.Before(j.next) {
				p.send(j)
				if j.next = now.Add(again); j.last != nil {
					j.next = now.Add(10 * time.Millisecond)
				}
			}
			if j.done {
				wake = now
			}
			for _, t := range []time.Time{j.end, j.next} {
				if t.Before(wake) {
					wake = t
				}
			}
		}
		_ = p.s.File.SetReadDeadline(wake)
		if err := ctx.Err(); err != nil { // after the deadline was set: who cancels later sets it anew
			for _, j := range append(active, jobs...) {
				if !j.done {
					p.finish(j, failed(err))
				}
			}
			return
		}
		p.receive()
	}
}

func (p *pinger) send(j *pingJob) {
	p.seq++
	size := j.size
	if size == 0 {
		size = defaultEcho
	}
	b := encodeEcho(p.s.V6, p.id, p.seq, p.token, size)
	to, err := p.s.Address(j.target, 0)
	if err != nil {
		p.finish(j, failed(err))
		return
	}
	at := time.Now()
	err = p.s.Control(func(fd int) error {
		if j.ttl > 0 {
			level, opt := unix.SOL_IP, unix.IP_TTL
			if p.s.V6 {
				level, opt = unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS
			}
			if err := unix.SetsockoptInt(fd, level, opt, j.ttl); err != nil {
				return err
			}
		}
		return unix.Sendto(fd, b, 0, to)
	})
	switch {
	case err == nil:
		j.last = nil
		j.sent = append(j.sent, sentEcho{seq: p.seq, at: at})
		p.pending[p.seq] = j
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EINTR):
		j.last = err // the queue or the neighbour table is full for the moment
	default:
		p.finish(j, localError(err, j.target))
	}
}

func (p *pinger) finish(j *pingJob, r Result) {
	j.result, j.done = r, true
	for _, s := range j.sent {
		delete(p.pending, s.seq)
	}
}

// receive waits for something and takes in all that is there.
func (p *pinger) receive() {
	buf := make([]byte, 65536)
	first := true
	for {
		var n int
		var from unix.Sockaddr
		take := func(fd int) (err error) {
			n, from, err = unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
			return err
		}
		var err error
		if first {
			err = p.s.Read(take)
		} else {
			err = p.s.Control(take)
		}
		first = false
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, unix.EAGAIN):
			return
		case err != nil: // an error of an earlier packet; its message comes too
			continue
		}
		p.take(buf[:n], sockaddrAddr(from), time.Now())
	}
}

func (p *pinger) take(b []byte, from netip.Addr, at time.Time) {
	e, ok := decodeEcho(p.s.V6, p.id, from, b)
	if !ok {
		return
	}
	j := p.pending[e.seq]
	if j == nil || j.done {
		return
	}
	var took time.Duration
	for _, s := range j.sent {
		if s.seq == e.seq {
			took = at.Sub(s.at)
		}
	}
	switch {
	case e.reply && (j.size == 0 || j.size >= echoHeader+tokenSize) && e.token != p.token:
		return // somebody else's
	case e.reply:
		p.finish(j, Result{OK: true, Code: OK, Detail: fmt.Sprintf("answer from %s after %s", from, round(took)), Took: took, From: from})
	case e.to.WithZone("") != j.target.WithZone(""):
		return
	default:
		r := e.notice.result()
		r.Took = took
		j.expired = e.notice.timeExceeded()
		p.finish(j, r)
	}
}

func round(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(10 * time.Microsecond)
}

func sockaddrAddr(sa unix.Sockaddr) netip.Addr {
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(a.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(a.Addr)
	default:
		return netip.Addr{}
	}
}
