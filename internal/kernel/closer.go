package kernel

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// LookCloser reads single ports and single entries of forwarding tables in namespaces that were skimmed (state.Query.Skim), and
// returns for each request its links, its entries, and of each route asked for the answer, in this order. What is gone meanwhile is left out; the error is for a kernel that does not tell
// it this way.
func (k *Kernel) LookCloser(ctx context.Context, list []state.Closer) ([]state.Contents, error) {
	out := make([]state.Contents, len(list))
	for i := range list {
		p, err := k.place(list[i].NS)
		if err != nil {
			return nil, &OpError{Op: "read", Object: "namespace", NS: list[i].NS, Err: err}
		}
		h, err := k.openPlace(ctx, p)
		if errors.Is(err, netns.ErrNotExist) {
			continue
		}
		if err == nil {
			err = netns.Each([]*netns.Handle{h}, func(int, *netns.Handle) error { return lookCloser(&list[i], &out[i]) })
			err = errors.Join(err, h.Close())
		}
		if err != nil {
			return nil, &OpError{Op: "read", Object: "ports", NS: list[i].NS, Err: err}
		}
	}
	return out, nil
}

// lookCloser runs inside of the namespace.
func lookCloser(ask *state.Closer, c *state.Contents) error {
	conn, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer conn.Close()
	names := &askedNames{fd: conn.FD()}
	if c.Links, err = linksAt(conn, ask.Ports, names); err != nil {
		return err
	}
	for i := range c.Links {
		if p := c.Links[i].Peer; p != nil && p.NSID < 0 {
			p.NS = ask.NS
		}
	}
	if err := readBPF(c.Links); err != nil && !errors.Is(err, unix.EPERM) { // that is noted since the namespace was skimmed
		return err
	}
	learnedRoutes(conn, ask, c, names)
	reqs := make([]nl.Request, 0, len(ask.Stations))
	for _, s := range ask.Stations {
		index, ok := indexIn(conn.FD(), s.Bridge)
		if !ok {
			continue // gone, and its table with it
		}
		reqs = append(reqs, rtnl.GetStation(index, s.MAC))
	}
	for _, res := range conn.Query(reqs) {
		if res.Err != nil && !errors.Is(res.Err, unix.ENOENT) && !isGone(res.Err) {
			return res.Err
		}
		for _, m := range res.Messages {
			e, err := rtnl.DecodeFDB(m.Data, names)
			if err != nil {
				return err
			}
			c.FDB = append(c.FDB, e)
		}
	}
	return nil
}

// learnedRoutes asks for single routes. What the kernel refuses is left without an answer: the walk says why.
func learnedRoutes(conn *nl.Conn, ask *state.Closer, c *state.Contents, names rtnl.Names) {
	reqs := make([]nl.Request, 0, len(ask.Routes))
	for _, q := range ask.Routes {
		reqs = append(reqs, rtnl.GetRoute(q))
	}
	if len(reqs) == 0 {
		return
	}
	c.Routes = make([]state.Route, len(reqs))
	for i, res := range conn.Query(reqs) {
		for _, m := range res.Messages {
			if r, err := rtnl.DecodeRoute(m.Data, names); err == nil {
				c.Routes[i] = r
			}
		}
	}
}

// isGone reports whether the kernel has no such link (any more).
func isGone(err error) bool { return errors.Is(err, unix.ENODEV) }

// indexIn asks for an index by name (SIOCGIFINDEX, netdevice(7)).
func indexIn(fd int, name string) (int, bool) {
	ifr, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) != nil {
		return 0, false
	}
	return int(ifr.Uint32()), true
}
