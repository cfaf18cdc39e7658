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
	giveBack bool // devices that outlive a namespace come here, not to the initial one
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
// down and perhaps with another name. Without --return that is said; with it they come to the namespace that the command runs
// in, which is where "link set DEV netns NAME" took them from.
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
		if !ok || !l.physical() {
			continue
		}
		dev := l.a.Str(unix.IFLA_IFNAME)
		if !o.giveBack {
			fmt.Fprintf(s.stdio.Err, "warning: %s is no virtual device: when %s is gone it is in the initial namespace, down (--return brings it back here)\n", dev, name)
			continue
		}
		here, err := netns.Current()
		if err != nil {
			fail(exitFailed, "%v", err)
		}
		req, err := rtnl.MoveLink(dev, rtnl.InNS(here.FD()), "", 0, nil)
		if err == nil {
			err = conn.Batch([]nl.Request{req})[0]
		}
		here.Close()
		if err != nil {
			fail(exitKernel, "return %s from netns %s: %s (hint: is there a link of that name here?)", dev, name, kernelText(err))
		}
	}
}

// physical reports whether a link outlives its namespace: it has no kind, and is not the loopback.
func (l *linkMsg) physical() bool {
	return l.flags&unix.IFF_LOOPBACK == 0 && l.a.Nested(unix.IFLA_LINKINFO).Str(unix.IFLA_INFO_KIND) == ""
}
