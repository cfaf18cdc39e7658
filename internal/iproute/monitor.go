package iproute

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// A watch is what a monitor listens to and how it tells of it.
type watch struct {
	protocol int // of netlink; the zero value is routing's
	groups   []uint32
	file     string // read from it instead
	label    bool
	allNSID  bool
	// tell prints one message; its label comes from it.
	tell func(p *printer, m netlink.Message, head func(label string))
}

// monitor tells of changes until it is stopped. Other than with iproute2 every line is written as soon as it is known. What it
// prints is text, whatever -json says.
func (s *session) monitor(o watch) {
	s.opt.json = false
	p := s.out()
	if o.file != "" {
		s.replay(p, o)
		return
	}
	fd, err := s.space().Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, o.protocol)
	if err != nil {
		fail(exitFailed, "Cannot open netlink socket: %s", errnoText(err))
	}
	const buffer = 1 << 20
	sub, err := nl.Subscribe(fd, nl.SubscribeOptions{Groups: o.groups, AllNSID: o.allNSID, Buffer: buffer})
	if err != nil {
		fail(exitFailed, "%s", errnoText(err))
	}
	defer sub.Close()
	// Names as they are now: a link that goes away is named once more.
	if o.protocol == unix.NETLINK_ROUTE {
		s.linkMessages(&linkFilter{group: -1}, unix.AF_UNSPEC)
		s.cache().whole = false
	}
	if slices.Contains(o.groups, nsidGroup) {
		s.namesOfEvent() // and a namespace
	}
	err = s.events(sub, func(ev nl.Event) {
		for _, m := range ev.Messages {
			s.tellOf(p, o, m, ev.NSID)
		}
	})
	if err != nil {
		fail(exitKernel, "netlink receive error %s", errnoText(err))
	}
}

// events hands on events until the session is over, which is no error. Those that were lost are told.
func (s *session) events(sub *nl.Subscription, each func(nl.Event)) error {
	for {
		ev, err := sub.Receive(s.ctx)
		switch {
		case s.ctx.Err() != nil:
			return nil
		case errors.Is(err, nl.ErrResync):
			fmt.Fprintf(s.stdio.Err, "netlink receive error %s (%d)\n", strerror(unix.ENOBUFS), int(unix.ENOBUFS))
		case err != nil:
			return err
		default:
			each(ev)
		}
	}
}

// tellOf prints one message at once.
func (s *session) tellOf(p *printer, o watch, m netlink.Message, nsid int) {
	s.deleted = false
	switch m.Header.Type {
	case netlink.Noop, netlink.Error, netlink.Done:
		return
	}
	switch {
	case o.protocol != unix.NETLINK_ROUTE:
	case m.Header.Type == unix.RTM_NEWLINK:
		if s.personality != Bridge && len(m.Data) >= rtnl.IfinfoLen {
			s.cache().add(m.Data)
		}
	case m.Header.Type == unix.RTM_DELLINK: // also of a port that leaves its bridge: who asks for the name gets it anew
		if s.personality != Bridge && len(m.Data) >= rtnl.IfinfoLen {
			delete(s.cache().names, int(int32(native.Uint32(m.Data[4:]))))
		}
	}
	o.tell(p, m, func(label string) {
		s.stamp(p)
		switch {
		case o.allNSID && nsid < 0:
			p.text("[nsid current]")
		case o.allNSID:
			p.text("[nsid %d]", nsid)
		}
		if o.label {
			p.text("%s", label)
		}
	})
	s.deleted = false
	s.flush()
}

// stamp prints the time, with -t or -ts.
func (s *session) stamp(p *printer) {
	if !s.opt.time {
		return
	}
	now := time.Now()
	if s.opt.short {
		p.text("[%s] ", now.Format("2006-01-02T15:04:05.000000"))
		return
	}
	p.text("Timestamp: %s %d usec\n", now.Format("Mon Jan _2 15:04:05 2006"), now.Nanosecond()/1000)
}

// replay reads messages from a file, as rtmon(8) and "save" write them.
func (s *session) replay(p *printer, o watch) {
	f, err := os.Open(o.file)
	if err != nil {
		die("Cannot fopen: %s", errnoText(err))
	}
	defer f.Close()
	msgs, err := readMessages(f)
	for _, m := range msgs {
		s.tellOf(p, o, m, -1)
	}
	if err != nil {
		die("%v", err)
	}
}

// readMessages reads netlink messages one after the other.
func readMessages(r io.Reader) ([]netlink.Message, error) {
	var msgs []netlink.Message
	for {
		var head [16]byte
		switch _, err := io.ReadFull(r, head[:]); {
		case errors.Is(err, io.EOF):
			return msgs, nil
		case err != nil:
			return msgs, errors.New("rtnl-from_file: truncated message")
		}
		n := binary.NativeEndian.Uint32(head[:])
		const most = 1 << 20
		if n < 16 || n > most {
			return msgs, fmt.Errorf("malformed message: len=%d @0", n)
		}
		data := make([]byte, (n-16+3)&^3)
		if _, err := io.ReadFull(r, data); err != nil {
			return msgs, errors.New("rtnl-from_file: truncated message")
		}
		msgs = append(msgs, netlink.Message{
			Header: netlink.Header{Length: n, Type: netlink.HeaderType(binary.NativeEndian.Uint16(head[4:])), Flags: netlink.HeaderFlags(binary.NativeEndian.Uint16(head[6:]))},
			Data:   data[:n-16],
		})
	}
}

// printDeleted says that what follows is no more.
func (s *session) printDeleted(p *printer) {
	if s.deleted {
		p.is("deleted", "Deleted ")
	}
}
