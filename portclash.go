package warren

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"warren/plan"
	"warren/state"
	"warren/topo"
)

// portClash finds a port of another lab that a port which is to be published would share: one of all addresses and one of a
// single address are elements of two maps, so the kernel does not see it. nil when there is none.
func portClash(host *state.Namespace, lab string, pub topo.PublishInfo) error {
	if host == nil {
		return nil
	}
	for i := range host.Tables {
		t := &host.Tables[i]
		if t.Name != state.FirewallTable || t.Family != "inet" {
			continue
		}
		for _, name := range []string{topo.MapPublish4, topo.MapPublishAny4, topo.MapPublish6, topo.MapPublishAny6} {
			set := t.Set(name)
			if set == nil {
				continue
			}
			for _, e := range set.Elements {
				o, ok := parsePortOwner(e.Comment)
				if ok && o.lab != lab && o.proto == pub.Proto && o.host.Port() == pub.Host.Port() && sharesAddr(o.host.Addr(), pub.Host.Addr()) {
					return &editError{fmt.Errorf("publish %s/%s of node %q: the port is taken: node %q of lab %q has published %s (hint: publish another port, or make this one free: warren down %s)",
						pub.Host, pub.Proto, pub.Node, o.node, o.lab, o.host, o.lab), ErrExist}
				}
			}
		}
	}
	return nil
}

// portsTaken says in a sentence about ports what a collision of elements is, where that is what it is.
func portsTaken(want *topo.Expanded, have state.Snapshot, err error) error {
	if _, ok := errors.AsType[*plan.CollisionError](err); !ok {
		return err
	}
	var clashes []error
	for _, pub := range want.Publishes {
		clashes = append(clashes, portClash(have.Namespace(state.HostNS), want.Lab, pub))
	}
	return cmp.Or(errors.Join(clashes...), err)
}

// A portOwner is what the comment of a published port's element says: LAB/NODE/ADDRESS:PORT/PROTOCOL.
type portOwner struct {
	lab, node, proto string
	host             netip.AddrPort
}

func parsePortOwner(comment string) (portOwner, bool) {
	f := strings.Split(comment, "/")
	if len(f) != 4 {
		return portOwner{}, false // long names leave no room for all
	}
	host, err := netip.ParseAddrPort(f[2])
	return portOwner{f[0], f[1], f[3], host}, err == nil
}

// sharesAddr reports whether two addresses to publish at have a socket in common.
func sharesAddr(a, b netip.Addr) bool {
	return a.Is4() == b.Is4() && (a == b || a.IsUnspecified() || b.IsUnspecified())
}
