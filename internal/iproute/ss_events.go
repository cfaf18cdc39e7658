package iproute

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/sockdiag"
)

// follow is -E: it shows the sockets that end, each as soon as it has, until it is stopped.
func (s *ss) follow() {
	var groups []uint32
	for _, g := range []struct {
		family uint8
		kind   ssKind
		group  uint32
	}{
		{unix.AF_INET, kindTCP, sockdiag.GroupTCP},
		{unix.AF_INET, kindUDP, sockdiag.GroupUDP},
		{unix.AF_INET6, kindTCP, sockdiag.GroupTCP6},
		{unix.AF_INET6, kindUDP, sockdiag.GroupUDP6},
	} {
		if s.sel.has(g.family) && s.sel.kinds&(1<<g.kind) != 0 {
			groups = append(groups, g.group)
		}
	}
	if len(groups) == 0 {
		die("")
	}
	fd, err := s.space().Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		die("Cannot open netlink socket: %s", errnoText(err))
	}
	sub, err := nl.Subscribe(fd, nl.SubscribeOptions{Groups: groups})
	if err != nil {
		die("%s", errnoText(err))
	}
	defer sub.Close()
	s.states = ssAll
	err = s.events(sub, func(ev nl.Event) {
		for _, m := range ev.Messages {
			s.ended(m)
		}
	})
	if err != nil {
		die("netlink receive error %s", errnoText(err))
	}
}

// ended shows one of them; columns stay as wide as they were.
func (s *ss) ended(m netlink.Message) {
	i, err := sockdiag.DecodeEvent(m)
	if err != nil {
		return
	}
	const unknown = 256 // IPPROTO_MAX
	protocol := unknown
	if i.Protocol != nil {
		protocol = int(*i.Protocol)
	}
	s.inetSocket(&i, protocol)
	if s.opt.json {
		s.printJSON()
		s.json = nil
		return
	}
	s.table.render(s.stdio.Out, s.terminalWidth())
	s.table.reset()
}

// kill is -K: it ends a socket and reports whether it did. What cannot be ended, or is gone, is not shown.
func (s *ss) kill(protocol int, i *sockdiag.Inet) bool {
	if s.killer == nil {
		c, err := s.space().Netlink(unix.NETLINK_SOCK_DIAG)
		if err != nil {
			fail(exitFailed, "Cannot open netlink socket: %s", errnoText(err))
		}
		s.killer = c
	}
	err := s.killer.Batch([]nl.Request{sockdiag.Destroy(protocol, i)})[0]
	switch {
	case err == nil:
		return true
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOENT):
	default:
		fmt.Fprintf(s.stdio.Err, "SOCK_DESTROY answers: %s\n", errnoText(err))
	}
	return false
}

// record is -D: it writes the kernel's answers about TCP's sockets into a file, for TCPDIAG_FILE.
func (s *ss) record(path string) {
	if s.sel.kinds&(1<<kindTCP) == 0 {
		fmt.Fprintln(s.stdio.Err, "ss: tcpdiag dump requested and no tcp in filter.")
		return
	}
	out := s.stdio.Out
	if !strings.HasPrefix(path, "-") {
		f, err := os.Create(path)
		if err != nil {
			die("fopen dump file: %s", errnoText(err))
		}
		defer f.Close()
		out = f
	}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if !s.sel.has(family) {
			continue
		}
		msgs, err := s.sockets().Dump(s.ctx, sockdiag.InetRequest{
			Family: family, Protocol: unix.IPPROTO_TCP, Statuses: s.sel.states, Details: s.inetDetails(), Filter: s.program,
		}.Request())
		if err != nil && !errors.Is(err, nl.ErrInconsistent) {
			return
		}
		for _, m := range msgs {
			writeMessage(out, m.Header.Type, m.Data)
		}
		writeMessage(out, netlink.Done, make([]byte, 4))
	}
}

// writeMessage writes a part of a dump.
func writeMessage(w io.Writer, typ netlink.HeaderType, data []byte) {
	b := native.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(data)))
	b = native.AppendUint16(b, uint16(typ))
	b = native.AppendUint16(b, uint16(netlink.Multi))
	b = append(append(b, make([]byte, 8)...), data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	_, _ = w.Write(b) // nobody to tell
}
