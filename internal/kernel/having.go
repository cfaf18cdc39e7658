package kernel

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// having lists the ids of those who have an address that the query asks the viewer's neighbours for, or may answer for it. For the
// first nobody is entered: the kernel tells the addresses of a namespace that the socket's one has an id for (IFA_TARGET_NETNSID, Linux 4.20),
// a few microseconds each. One that it does not tell about may have the address, too.
func (l *lookout) having(key string) (found []int) {
	for _, a := range l.query.Asks {
		if a.NS != key {
			continue
		}
		if a.Proxies {
			found = append(found, l.proxies(a.IDs, a.Addr)...)
			continue
		}
		for id, has := range l.have(a.IDs, a.Addr) {
			if has && !slices.Contains(found, a.IDs[id]) {
				found = append(found, a.IDs[id])
			}
		}
	}
	return found
}

// askBatch is how many ids a worker takes at a time.
const askBatch = 32

// have asks for each id whether the namespace behind it has an address, or might have. The kernel takes no lock for that, so two
// workers are twice as fast.
func (l *lookout) have(ids []int, ip netip.Addr) []bool {
	has := make([]bool, len(ids))
	l.share(len(ids), askBatch, func(conn *nl.Conn, from, end int) bool {
		l.ask(conn, ids[from:end], ip, has[from:end])
		return true
	})
	return has
}

func (l *lookout) ask(conn *nl.Conn, ids []int, ip netip.Addr, has []bool) {
	want := ip.AsSlice()
	var again []int
	conn.DumpEach(l.ctx, len(ids), func(i int) nl.Request { return rtnl.DumpAddrsAt(ip, ids[i]) },
		func(i int, m netlink.Message) { has[i] = has[i] || rtnl.HasAddr(m.Data, want) },
		func(i int, err error) {
			if err != nil {
				again = append(again, i)
			}
		})
	for _, i := range again {
		has[i] = has[i] || l.might(conn, ids[i], ip)
	}
}

// might is for what went wrong the first time.
func (l *lookout) might(conn *nl.Conn, id int, ip netip.Addr) bool {
	msgs, err := conn.Dump(l.ctx, rtnl.DumpAddrsAt(ip, id))
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		return true
	}
	return slices.ContainsFunc(msgs, func(m netlink.Message) bool { return rtnl.HasAddr(m.Data, ip.AsSlice()) })
}
