package iproute

import (
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
)

// deleteOptions are what "netns delete" understands under our own name.
type deleteOptions struct {
	wait     bool // until the kernel is done
	giveBack bool // devices that outlive a namespace go back to where they came from, not to the initial one
}

func (s *session) deleteOptions(w *words) deleteOptions {
	var o deleteOptions
	for s.personality == Warren && w.more() {
		switch w.peek() {
		case "--wait":
			o.wait = true
		case "--return":
			o.giveBack = true
		default:
			die("netns delete: unknown option \"%s\" (--wait, --return)", w.peek())
		}
		w.skip()
	}
	return o
}

// evacuate deals with the physical devices of a namespace that is about to go: the kernel gives them to the initial namespace,
// down and perhaps with another name. Without --return that is said; with it each goes back to where it came from, as far as
// that is known, else to the namespace that the command runs in, which is said.
func (s *session) evacuate(name string, o deleteOptions) {
	if s.personality != Warren {
		return
	}
	h, err := netns.OpenPath(netnsPath(name))
	if err != nil {
		return // a name that leads nowhere holds nothing
	}
	defer h.Close()
	conn, err := h.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return
	}
	defer conn.Close()
	msgs, err := conn.Dump(s.ctx, rtnl.DumpLinks(false))
	if err != nil && len(msgs) == 0 {
		return
	}
	for _, m := range msgs {
		l, ok := readLink(m.Data)
		if !ok || !s.physical(&l) {
			continue
		}
		if !o.giveBack {
			fmt.Fprintf(s.stdio.Err, "warning: %s is no virtual device: when %s is gone it is in the initial namespace, down (--return gives it back to where it came from)\n",
				l.a.Str(unix.IFLA_IFNAME), name)
			s.origins().forget(h.Cookie(), l.index)
			continue
		}
		s.giveBack(name, h, conn, &l)
	}
}

// giveBack moves one device out of a namespace.
func (s *session) giveBack(name string, from *netns.Handle, conn *nl.Conn, l *linkMsg) {
	dev := l.a.Str(unix.IFLA_IFNAME)
	to, past, known, err := s.home(from.Cookie(), l)
	if err != nil {
		fail(exitFailed, "%v", err)
	}
	defer to.Close()
	if to.Cookie() == from.Cookie() {
		fail(exitFailed, "return %s from netns %s: the command runs in there (hint: run it elsewhere)", dev, name)
	}
	req, err := rtnl.MoveLink(dev, rtnl.InNS(to.FD()), "", 0, nil)
	if err == nil {
		err = conn.Batch([]nl.Request{req})[0]
	}
	if err != nil {
		fail(exitKernel, "return %s from netns %s: %s (hint: is there a link of that name where it came from?)", dev, name, kernelText(err))
	}
	o := s.origins()
	o.forget(from.Cookie(), l.index)
	if !known {
		fmt.Fprintf(s.stdio.Err, "%s: it is not known where it came from: it is in this namespace now\n", dev)
		return
	}
	there, err := to.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return
	}
	defer there.Close()
	if index := indexIn(there, dev); index != 0 {
		_ = o.keep(to.Cookie(), index, origin{Name: dev, Address: deviceAddress(l), From: past}) // it has moved, noted or not
	}
}
