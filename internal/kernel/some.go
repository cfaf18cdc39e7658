package kernel

import (
	"context"
	"errors"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// Some says which links of a namespace matter, where it has many: to list a thousand ports costs the kernel 20 ms, for it
// looks up an id for each of them among a thousand.
type Some struct {
	// Links are read, by name; those that are not there are left out.
	Links []string
	// There are names of which it is only looked whether there are such links.
	There []string
}

// someParts are the parts that can be read without a list of all links.
const someParts = state.PartLinks | state.PartAddrs | state.PartRoutes | state.PartRules | state.PartFirewall

// ObserveSome is [Kernel.Observe] for the one namespace that the query names, with its firewall as [state.Query.Ours] has it.
// Of its links it reads only those in some, and those that its addresses and routes are on; where the query asks for what
// cannot be read so, all. Absent are the names of some.There that no link has.
func (k *Kernel) ObserveSome(ctx context.Context, q state.Query, some Some) (have state.Snapshot, absent []string, err error) {
	key := q.Names[0]
	q.Ours = true
	if q.PartsOf(key)&^someParts != 0 {
		have, err = k.Observe(ctx, q)
		if n := have.Namespace(key); n != nil {
			absent = slices.DeleteFunc(slices.Clone(some.There), func(name string) bool { return n.Link(name) != nil })
		}
		return have, absent, err
	}
	p, err := k.place(key)
	if err != nil {
		return have, nil, &OpError{Op: "read", Object: "namespace", NS: key, Err: err}
	}
	o := &observation{k: k, ctx: ctx, query: q, readings: []reading{{place: p}}}
	defer o.close()
	r := &o.readings[0]
	if r.handle, err = k.openPlace(ctx, p); err != nil {
		return have, nil, &OpError{Op: "read", Object: "namespace", NS: key, Err: err}
	}
	err = netns.Each([]*netns.Handle{r.handle}, func(int, *netns.Handle) error {
		proc := newProc(1)
		defer proc.close()
		r.ns.Name, r.ns.Cookie, r.ns.Inode = key, r.handle.Cookie(), r.handle.Inode()
		r.ns.Read = q.PartsOf(key)
		r.keys = q.SysctlKeys[key]
		absent = o.readSome(r, some)
		if r.ns.Read.Has(state.PartFirewall) {
			r.miss("firewall", o.readFirewall(r))
		}
		if len(r.keys) > 0 {
			proc.next()
			r.miss("sysctls", readSysctls(proc, r.keys, &r.ns.Contents))
		}
		return ctx.Err()
	})
	if err != nil {
		return have, nil, &OpError{Op: "read", Object: "namespace", NS: key, Err: err}
	}
	have, err = o.snapshot(ctx)
	return have, absent, err
}

// readSome is readRoute for some links.
func (o *observation) readSome(r *reading, some Some) (absent []string) {
	conn, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		r.miss("links", err)
		return nil
	}
	defer conn.Close()
	c, names := &r.ns.Contents, &someNames{askedNames: askedNames{fd: conn.FD()}}
	parts := r.ns.Read
	if parts.Has(state.PartAddrs) {
		c.Addrs = dump(o, r, conn, "addresses", rtnl.DumpAddrs(), func(m []netlink.Message) ([]state.Addr, error) {
			return rtnl.DecodeAddrs(m, names)
		})
	}
	if parts.Has(state.PartRoutes) {
		c.Routes = dump(o, r, conn, "routes", rtnl.DumpRoutes(), func(m []netlink.Message) ([]state.Route, error) {
			return rtnl.DecodeRoutes(o.routes(m), names)
		})
	}
	if parts.Has(state.PartRules) {
		c.Rules = dump(o, r, conn, "rules", rtnl.DumpRules(), rtnl.DecodeRules)
	}
	links := o.someLinks(r, conn, append(names.used, some.Links...), names)
	r.ns.Mark = markOf(links)
	if parts.Has(state.PartLinks) {
		c.Links = links
	}
	if len(r.keys) > 0 {
		r.keys = readSettings(conn, r.keys, c)
	}
	for _, name := range some.There {
		if !linkThere(conn.FD(), name) {
			absent = append(absent, name)
		}
	}
	return absent
}

// someLinks reads links by name.
func (o *observation) someLinks(r *reading, conn *nl.Conn, names []string, t rtnl.Names) []state.Link {
	slices.Sort(names)
	var reqs []nl.Request
	var asked []string
	for _, name := range slices.Compact(names) {
		req, err := rtnl.GetLink(name)
		if err != nil {
			r.miss("link "+name, err)
			continue
		}
		reqs, asked = append(reqs, req), append(asked, name)
	}
	var links []state.Link
	for i, res := range conn.Query(reqs) {
		if res.Err != nil {
			if !errors.Is(res.Err, unix.ENODEV) {
				r.miss("link "+asked[i], res.Err)
			}
			continue
		}
		for _, m := range res.Messages {
			l, err := rtnl.DecodeLink(m.Data, t)
			r.miss("link "+asked[i], err)
			l.Stats = nil
			if err == nil && !slices.ContainsFunc(links, func(x state.Link) bool { return x.Index == l.Index }) {
				links = append(links, l)
			}
		}
	}
	return links
}

// someNames remembers the names that were asked for.
type someNames struct {
	askedNames
	used []string
}

func (n *someNames) Name(index int) (string, bool) {
	name, ok := n.askedNames.Name(index)
	if ok && !slices.Contains(n.used, name) {
		n.used = append(n.used, name)
	}
	return name, ok
}

// linkThere asks for an index, which takes no lock.
func linkThere(fd int, name string) bool {
	_, ok := indexIn(fd, name)
	return ok
}
