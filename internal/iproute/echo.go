package iproute

import (
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// doEcho is do for a change that -echo shows: the kernel repeats to the one who asked what it tells everybody.
func (s *session) doEcho(req nl.Request, err error) {
	if !s.opt.echo || err != nil {
		s.do(req, err)
		return
	}
	req.Flags |= netlink.Echo
	r := s.kernel().Exchange([]nl.Request{req})[0]
	refused(r.Err)
	if len(r.Messages) == 0 {
		return // as for addresses of IPv6
	}
	m := r.Messages[0]
	p := s.out()
	levels := 1
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		levels = 0 // opened with the link
	case rtmNewNexthop, rtmDelNexthop:
		levels = 2 // as iproute2 has it for all but links and addresses
	}
	for range levels {
		p.openObject("")
	}
	s.monitoring = true
	s.tellIP(p, m, 0, func(string) {})
	s.monitoring = false
	for range max(levels, 1) {
		p.closeObject()
	}
}
