package iproute

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// What files of "save" start with.
const (
	routeMagic = 0x45311224
	addrMagic  = 0x47361222
	ruleMagic  = 0x71706986
)

// save writes messages as they came from the kernel, for "restore".
func (s *session) save(magic uint32, msgs []netlink.Message) {
	if f, ok := s.stdio.Out.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			die("Not sending a binary stream to stdout")
		}
	}
	b := binary.NativeEndian.AppendUint32(nil, magic)
	for _, m := range msgs {
		const head = 16 // struct nlmsghdr
		n := head + len(m.Data)
		b = binary.NativeEndian.AppendUint32(b, uint32(n))
		b = binary.NativeEndian.AppendUint16(b, uint16(m.Header.Type))
		b = binary.NativeEndian.AppendUint16(b, uint16(m.Header.Flags))
		b = binary.NativeEndian.AppendUint32(b, m.Header.Sequence)
		b = binary.NativeEndian.AppendUint32(b, m.Header.PID)
		b = append(b, m.Data...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	_, _ = s.stdio.Out.Write(b) // nobody to tell
}

// saved reads what "save" wrote.
func (s *session) saved(magic uint32) []netlink.Message {
	if f, ok := s.stdio.In.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			die("Can't restore route dump from a terminal")
		}
	}
	var b [4]byte
	n, err := io.ReadFull(s.stdio.In, b[:])
	if got := binary.NativeEndian.Uint32(b[:]); err != nil || got != magic {
		elems := n / len(b)
		if elems == 0 {
			got = 0
		}
		code := exitUsage
		if magic == routeMagic {
			code = exitFailed
		}
		fail(code, "Magic mismatch (%d elems, %x magic)", elems, got)
	}
	msgs, err := readMessages(s.stdin())
	if err != nil {
		fail(exitFailed, "%v", err)
	}
	return msgs
}

func (s *session) stdin() io.Reader { return s.stdio.In }

// restore gives saved messages back to the kernel; what is there already stays.
func (s *session) restore(magic uint32, apply func(*session, []netlink.Message)) {
	apply(s, s.saved(magic))
}

// again makes a request of a saved message.
func again(m *netlink.Message) nl.Request {
	return nl.Request{Type: m.Header.Type, Flags: netlink.Create, Data: m.Data}
}

// putBack sends messages one by one; that one exists is no failure.
func (s *session) putBack(reqs []nl.Request) {
	for _, err := range s.kernel().Batch(reqs) {
		if err != nil && !errors.Is(err, unix.EEXIST) {
			refused(err)
		}
	}
}

func routeSave(s *session, w *words) {
	f := s.routeFilter(w)
	s.save(routeMagic, s.routeMessages(f, true))
}

// restoreRoutes puts routes back in three rounds: those that need no other, then those with a gateway, then those with a source
// of their own.
func restoreRoutes(s *session, msgs []netlink.Message) {
	for round := range 3 {
		var reqs []nl.Request
		for i := range msgs {
			r, ok := readRoute(msgs[i].Data)
			if ok && restoreRound(&r) == round {
				reqs = append(reqs, again(&msgs[i]))
			}
		}
		s.putBack(reqs)
	}
}

func restoreRound(r *routeMsg) int {
	gateway := r.a.Has(unix.RTA_GATEWAY) || r.a.Has(unix.RTA_MULTIPATH)
	switch {
	case !gateway && !r.a.Has(unix.RTA_PREFSRC):
		return 0
	case !gateway:
		return 1
	}
	return 2
}

func routeShowdump(s *session, _ *words) {
	msgs := s.saved(routeMagic)
	p := s.out()
	for _, m := range msgs {
		if r, ok := readRoute(m.Data); ok {
			s.printRoute(p, &routeFilter{}, &r)
		}
	}
}

func addrSave(s *session, w *words) {
	f := s.addrFilter(w)
	s.linkByName(&f.link)
	var msgs []netlink.Message
	for _, m := range s.addrMessages(f.family, f.link.index) {
		if a, ok := readAddr(m.Data); ok && f.lets(&a, a.a.Str(unix.IFA_LABEL)) {
			msgs = append(msgs, m)
		}
	}
	s.save(addrMagic, msgs)
}

func restoreAddrs(s *session, msgs []netlink.Message) {
	reqs := make([]nl.Request, 0, len(msgs))
	for i := range msgs {
		reqs = append(reqs, again(&msgs[i]))
	}
	s.putBack(reqs)
}

func addrShowdump(s *session, _ *words) {
	msgs := s.saved(addrMagic)
	p := s.out()
	for _, m := range msgs {
		if a, ok := readAddr(m.Data); ok {
			num(p, "ifindex", "if%d:\n", a.index)
			p.openObject("")
			s.printAddr(p, &a, s.nameOf(a.index))
			p.closeObject()
		}
	}
}

func ruleSave(s *session, w *words) {
	f := s.ruleFilter(w)
	var msgs []netlink.Message
	for _, m := range s.ruleMessages(s.ruleFamily()) {
		if a := rtnl.ParseAttrs(m.Data[rtnl.FibRuleLen:]); f.lets(m.Data, a) {
			msgs = append(msgs, m)
		}
	}
	s.save(ruleMagic, msgs)
}

func restoreRules(s *session, msgs []netlink.Message) { restoreAddrs(s, msgs) }
