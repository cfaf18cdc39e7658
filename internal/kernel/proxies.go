package kernel

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"warren/internal/nft"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// proxies lists, of the namespaces behind ids, those that may answer for an address that they do not have. All that have a name
// are entered for that, and asked what little it takes to tell that they keep quiet: a fifteenth of what it costs to read them.
// One without a name is among those that may.
func (l *lookout) proxies(ids []int, ip netip.Addr) []int {
	wanted := make(map[int]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	keys := append(l.k.allKeys(), state.HostNS)
	quiet := make([]int, len(keys))
	var borrowed atomic.Bool
	l.share(len(keys), searchBatch, func(conn *nl.Conn, from, end int) bool {
		if l.quietOf(conn, keys[from:end], wanted, ip, quiet[from:end]) {
			borrowed.Store(true)
		}
		return !borrowed.Load()
	})
	if borrowed.Load() {
		return ids
	}
	for _, id := range quiet {
		delete(wanted, id)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id int) bool { return !wanted[id] })
}

// quietOf finds those of some namespaces that are wanted and keep quiet, and notes their ids, and else one that nobody has. borrowed:
// one of them has something on a link elsewhere that does not show there.
func (l *lookout) quietOf(conn *nl.Conn, keys []string, wanted map[int]bool, ip netip.Addr, quiet []int) (borrowed bool) {
	var handles []*netns.Handle
	var fds, at []int
	for i, key := range keys {
		quiet[i] = rtnl.NoNSID
		p, err := l.k.place(key)
		if err != nil {
			continue
		}
		if h, err := l.k.openPlace(l.ctx, p); err == nil {
			handles, fds, at = append(handles, h), append(fds, h.FD()), append(at, i)
		}
	}
	behind := idsOf(conn, fds)
	_ = netns.Each(handles, func(i int, _ *netns.Handle) error {
		silent, borrows := isQuiet(l.ctx, ip)
		if silent && wanted[behind[i]] {
			quiet[at[i]] = behind[i]
		}
		borrowed = borrowed || borrows
		return nil
	})
	for _, h := range handles {
		_ = h.Close()
	}
	return borrowed
}

// Settings of links (linux/ip.h and linux/ipv6.h, one less in the first), see state.Link.
const (
	proxyARPSetting    = 2
	disableIPv6Setting = 26
)

// isQuiet reports whether the namespace that the calling thread is in surely answers no question for an address that it does not have: it
// has cables and lo only, none of them in anything else, with programs at it or with a macvlan on it, no proxy, no rule for
// routing and no local route. What cannot be read, or one that IPv6 is off in when the question is one of IPv6, is not quiet.
// borrows: it has something on a link elsewhere that does not show there.
func isQuiet(ctx context.Context, ip netip.Addr) (quiet, borrows bool) {
	conn, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		return false, false
	}
	defer conn.Close()
	msgs, err := conn.Dump(ctx, rtnl.DumpLinks(false))
	if err != nil {
		return false, false
	}
	links, err := rtnl.DecodeLinks(msgs, &rtnl.NameTable{})
	if err != nil {
		return false, false
	}
	borrows = slices.ContainsFunc(links, isHiddenUpper)
	if err := readBPF(links); err != nil && !errors.Is(err, unix.EPERM) { // as [reading.missPrograms] says
		return false, borrows
	}
	quiet = !slices.ContainsFunc(links, func(l state.Link) bool { return isOdd(&l, ip.Is6()) }) && !anyUpper(ctx, conn) &&
		!anyProxy(ctx, conn, ip.Is6()) && plainRoutes(ctx, conn, ip) && !anyPortTable(ctx)
	return quiet, borrows
}

// isHiddenUpper reports whether a link is on one of another namespace, where nothing tells of it: an ipvlan, or a macvlan that is
// down.
func isHiddenUpper(l state.Link) bool {
	switch l.Kind {
	case "ipvlan", "ipvtap":
	case "macvlan", "macvtap":
		if l.Up {
			return false
		}
	default:
		return false
	}
	return l.Lower != nil && l.Lower.NSID >= 0
}

// isOdd reports whether something may answer or listen at a link that is no address.
func isOdd(l *state.Link, is6 bool) bool {
	switch {
	case l.Kind != "veth" && l.Flags&unix.IFF_LOOPBACK == 0, l.Master != "", l.XDP != "", len(l.BPF) > 0:
		return true
	case len(l.IPv4) <= proxyARPSetting || l.IPv4[proxyARPSetting] != 0:
		return true
	}
	return is6 && (len(l.IPv6) <= disableIPv6Setting || l.IPv6[disableIPv6Setting] != 0)
}

// anyUpper reports whether some link listens to more than its own MAC, as one does that a macvlan is on, or has filters of tc.
func anyUpper(ctx context.Context, conn *nl.Conn) bool {
	msgs, err := conn.Dump(ctx, rtnl.DumpFDB())
	if err != nil {
		return true
	}
	stations, err := rtnl.DecodeFDBs(msgs, &askedNames{fd: conn.FD()})
	if err != nil || slices.ContainsFunc(stations, func(e state.FDBEntry) bool { return !e.MAC.IsMulticast() }) {
		return true
	}
	if msgs, err = conn.Dump(ctx, rtnl.DumpQdiscs()); err != nil {
		return true
	}
	qdiscs, err := rtnl.DecodeQdiscs(msgs, &askedNames{fd: conn.FD()})
	return err != nil || slices.ContainsFunc(qdiscs, func(q state.Qdisc) bool { return q.Kind == "clsact" || q.Kind == "ingress" })
}

// anyProxy reports whether the namespace answers for others, or may.
func anyProxy(ctx context.Context, conn *nl.Conn, is6 bool) bool {
	setting := rtnl.Setting{IPv6: is6, What: rtnl.SettingProxyNeighbor}
	answer := conn.Query([]nl.Request{rtnl.GetSetting(setting)})[0]
	if answer.Err != nil {
		return true
	}
	for _, m := range answer.Messages {
		if on, ok, err := rtnl.DecodeSetting(setting, m.Data); err != nil || !ok || on != 0 {
			return true
		}
	}
	msgs, err := conn.Dump(ctx, rtnl.DumpNeighbors(true))
	return err != nil || len(msgs) > 0
}

// plainRoutes reports whether the rules are those that Linux starts with, and no local route leads to the address.
func plainRoutes(ctx context.Context, conn *nl.Conn, ip netip.Addr) bool {
	msgs, err := conn.Dump(ctx, rtnl.DumpRules())
	if err != nil {
		return false
	}
	rules, err := rtnl.DecodeRules(msgs)
	if err != nil || slices.ContainsFunc(rules, func(r state.Rule) bool { return r.Priority != 0 && r.Priority < firstOfDefaults }) {
		return false
	}
	dump := rtnl.DumpRoutes()
	if ip.Is4() {
		dump = rtnl.OnlyIPv4(dump)
	}
	if msgs, err = conn.Dump(ctx, dump); err != nil {
		return false
	}
	routes, err := rtnl.DecodeRoutes(msgs, &askedNames{fd: conn.FD()})
	return err == nil && !slices.ContainsFunc(routes, func(r state.Route) bool {
		return (r.Type == "local" || r.Type == "anycast") && r.Dst.Contains(ip)
	})
}

// firstOfDefaults is the preference of the rule for the table main (fib_default_rules_init, fib6_rules_net_init).
const firstOfDefaults = 32766

// anyPortTable reports whether nftables may do something at links: send what comes in elsewhere.
func anyPortTable(ctx context.Context) bool {
	conn, err := openSocket(unix.NETLINK_NETFILTER)
	if err != nil {
		return !errors.Is(err, unix.EPROTONOSUPPORT)
	}
	defer conn.Close()
	some, err := nft.HasTables(ctx, conn, "netdev")
	return err != nil || some
}
