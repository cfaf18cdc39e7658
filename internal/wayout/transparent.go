package wayout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nft"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A relay speaks to nodes in the name of who connected (IP_TRANSPARENT of ip(7), with the rights that it has in the world).
// What nodes answer is for an address that is not the world's: conntrack knows that it belongs to the relay, and marks it
// for a table of routes in which every address is local.
const (
	markOut  = 0x77617230 // on the relay's packets
	markBack = 0x77617231 // on the answers to them
	// returnTable is the table, returnPriority that of the rule that leads there: before what labs have.
	returnTable    = 0x77617231
	returnPriority = 100
	// relayTable is the nftables table. It ends with the world.
	relayTable = "warren-relay"
	// priorityMangle comes after conntrack (-200) and before NAT (-100); NF_IP_PRI_MANGLE of linux/netfilter_ipv4.h.
	priorityMangle = -150
)

// returnPath makes the way for the answers, unless it is there.
func returnPath() error {
	here, err := netns.Current()
	if err != nil {
		return err
	}
	defer here.Close()
	filter, err := here.Netlink(unix.NETLINK_NETFILTER)
	if err != nil {
		return err
	}
	defer filter.Close()
	set := func(target state.Operand) []state.Expr {
		return []state.Expr{{SetValue: &state.SetValue{Target: target, Value: state.MarkValue(markBack)}}}
	}
	table := state.Table{Family: "inet", Name: relayTable, Chains: []state.Chain{
		state.BaseChain("output", "filter", "output", priorityMangle, "accept",
			state.RuleOf(state.MetaIs("mark", state.MarkValue(markOut)), set(state.CTOf("mark")))),
		state.BaseChain("prerouting", "filter", "prerouting", priorityMangle, "accept",
			state.RuleOf(state.Is(state.CTOf("mark"), state.MarkValue(markBack)), set(state.MetaOf("mark")))),
	}}
	if err := nft.Apply(filter, []nft.Op{{Replace: &table}}); err != nil {
		return fmt.Errorf("mark what comes back: %w", err)
	}
	route, err := here.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer route.Close()
	var names rtnl.NameTable
	names.Set(1, "lo") // in every namespace (LOOPBACK_IFINDEX of net/net_namespace.h)
	var reqs []nl.Request
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		dst := netip.MustParsePrefix(all)
		const host = 254 // RT_SCOPE_HOST of linux/rtnetlink.h
		r := state.Route{Dst: dst, Table: returnTable, Type: "local", Scope: host, NextHops: []state.NextHop{{Link: "lo"}}}
		if dst.Addr().Is6() {
			r.Scope = 0
		}
		req, err := rtnl.ReplaceRoute(r, &names)
		if err != nil {
			return err
		}
		reqs = append(reqs, req)
		if req, err = rtnl.CreateRule(state.Rule{IPv6: dst.Addr().Is6(), Priority: returnPriority, Mark: markBack, Table: returnTable}); err != nil {
			return err
		}
		reqs = append(reqs, req)
	}
	var errs []error
	for i, err := range route.Batch(reqs) {
		ip6 := i >= len(reqs)/2 // it may be switched off
		if !errors.Is(err, unix.EEXIST) && !(ip6 && (errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT))) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("route what comes back: %w", err)
	}
	return nil
}

// A dialer reaches nodes.
type dialer struct {
	transparent bool

	mu   sync.Mutex
	own  []netip.Prefix // of the world
	read time.Time
}

// dial connects to a node in the name of from, where that can be: not for a loopback address, which no node answers, nor
// for one that is in the world's own nets too, where the answer would go elsewhere.
func (d *dialer) dial(ctx context.Context, network string, from, to netip.AddrPort) (net.Conn, error) {
	if d.transparent && from.IsValid() && from.Addr().Is4() == to.Addr().Is4() && from.Addr().Zone() == "" && !from.Addr().IsLoopback() && !d.ownsAddr(from.Addr()) {
		c, err := dialFrom(ctx, network, from, to)
		if errors.Is(err, unix.EADDRINUSE) || errors.Is(err, unix.EADDRNOTAVAIL) {
			// By another port of the real host the same peer has a connection to the same node.
			c, err = dialFrom(ctx, network, netip.AddrPortFrom(from.Addr(), 0), to)
		}
		return c, err
	}
	var plain net.Dialer
	return plain.DialContext(ctx, network, to.String())
}

func dialFrom(ctx context.Context, network string, from, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var set error
		err := raw.Control(func(fd uintptr) {
			level, option := unix.SOL_IP, unix.IP_TRANSPARENT
			if to.Addr().Is6() {
				level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
			}
			set = errors.Join(
				unix.SetsockoptInt(int(fd), level, option, 1),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, markOut),
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
			)
		})
		return errors.Join(err, set)
	}}
	if network == "tcp" {
		d.LocalAddr = net.TCPAddrFromAddrPort(from)
	} else {
		d.LocalAddr = net.UDPAddrFromAddrPort(from)
	}
	return d.DialContext(ctx, network, to.String())
}

// fresh is how long what was read of the world's addresses is used.
const fresh = time.Second

func (d *dialer) ownsAddr(a netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.read) > fresh {
		addrs, err := net.InterfaceAddrs()
		if err != nil {
			return true // then nothing is done in its name
		}
		d.own, d.read = d.own[:0], time.Now()
		for _, x := range addrs {
			if p, err := netip.ParsePrefix(x.String()); err == nil {
				d.own = append(d.own, p.Masked())
			}
		}
	}
	return slices.ContainsFunc(d.own, func(p netip.Prefix) bool { return p.Contains(a) })
}
