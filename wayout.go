package warren

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"warren/internal/wayout"
	"warren/topo"
)

// outside is who connects an ordinary user's world with the machine.
func (w *Warren) outside() wayout.Client { return wayout.Client{Dir: w.opt.World} }

// private reports whether this is an ordinary user's world.
func (w *Warren) private() bool { return w.opt.World != "" }

// openWay opens the way out of an ordinary user's world for a lab with an uplink, before the kernel is read: the route and
// the prefix that come with it count in what the lab gets.
func (w *Warren) openWay(ctx context.Context, l *topo.Lab) (way wayout.Way, err error) {
	if !w.private() || !hasUplink(l) {
		return wayout.Way{}, nil
	}
	w.event(Event{Lab: l.Name, Phase: "observe"})
	return w.outside().Open(ctx)
}

func hasUplink(l *topo.Lab) bool {
	for _, n := range l.Nets {
		if n.Uplink != nil {
			return true
		}
	}
	return false
}

// wayNote says, once for a change, what is missing of an uplink.
func wayNote(x *topo.Expanded, way wayout.Way, err error) (notes []string) {
	if len(x.Uplinks) == 0 {
		return nil
	}
	var nets []string
	for _, u := range x.Uplinks {
		nets = append(nets, fmt.Sprintf("%q", u.Net))
	}
	which := "net " + strings.Join(nets, ", ")
	switch {
	case err != nil:
		return []string{fmt.Sprintf("%s: the uplink works inside your own world only: %v", which, err)}
	case way.Tool == "":
		return []string{fmt.Sprintf("%s: the uplink works inside your own world only; the way to the real network needs pasta (hint: install the package %s)", which, strings.Join(wayout.Packages(), ", or else "))}
	case way.Failed != "":
		return []string{fmt.Sprintf("%s: the uplink works inside your own world only: %s does not open the way to the real network: %s", which, way.Tool, way.Failed)}
	}
	return nil
}

// wayResolvers are the name servers of nodes when those of the machine cannot be asked from there.
func wayResolvers(way wayout.Way) []netip.Addr {
	if !way.DNS.IsValid() {
		return nil
	}
	return []netip.Addr{way.DNS}
}
