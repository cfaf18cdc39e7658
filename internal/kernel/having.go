package kernel

import (
	"errors"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// having lists the ids of those who have an address that the query asks the viewer's neighbours for. Nobody is entered for
// that: the kernel tells the addresses of a namespace that the socket's one has an id for (IFA_TARGET_NETNSID, Linux 4.20),
// a few microseconds each. One that it does not tell about may have the address, too.
func (l *lookout) having(key string) (found []int) {
	for _, a := range l.query.Asks {
		if a.NS != key {
			continue
		}
		for _, id := range a.IDs {
			if !slices.Contains(found, id) && l.ctx.Err() == nil && l.has(id, a.Addr) {
				found = append(found, id)
			}
		}
	}
	return found
}

// has reports whether the namespace behind an id has an address, or might have.
func (l *lookout) has(id int, ip netip.Addr) bool {
	req := rtnl.DumpAddrs()
	req.Data[0] = unix.AF_INET
	if ip.Is6() {
		req.Data[0] = unix.AF_INET6
	}
	req.Data = appendU32(req.Data, ifaTargetNetNSID, uint32(id))
	msgs, err := l.conn.Dump(l.ctx, req)
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		return true
	}
	list, err := rtnl.DecodeAddrs(msgs, nil)
	return err != nil || slices.ContainsFunc(list, func(a state.Addr) bool { return a.Prefix.Addr() == ip })
}

// ifaTargetNetNSID is IFA_TARGET_NETNSID (linux/if_addr.h).
const ifaTargetNetNSID = 10
