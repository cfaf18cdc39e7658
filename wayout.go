package warren

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren/internal/lab"
	"warren/internal/wayout"
	"warren/state"
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

// relay is the service of a lab in an ordinary user's world that passes on what comes to published ports of the machine.
func (w *Warren) relay(dir lab.Dir, x *topo.Expanded) []lab.Service {
	if !w.private() || len(x.Publishes) == 0 {
		return nil
	}
	return []lab.Service{{Node: state.HostNS, Name: "publish", Argv: wayout.RelayArgv(w.opt.World, dir.Path())}}
}

// published are the ports of the machine that a lab wants. What is published on every address has one on the loopback of
// IPv6 beside it, because the kernel cannot translate that; a socket needs no such thing.
func published(x *topo.Expanded) []topo.PublishInfo {
	every := map[string]bool{}
	for _, p := range x.Publishes {
		if p.Host.Addr() == netip.IPv6Unspecified() {
			every[fmt.Sprint(p.Proto, p.Host.Port())] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(x.Publishes), func(p topo.PublishInfo) bool {
		return p.Proxy && every[fmt.Sprint(p.Proto, p.Host.Port())]
	})
}

// publishOutside tells the relay what the lab publishes.
func (w *Warren) publishOutside(ctx context.Context, dir lab.Dir, x *topo.Expanded) error {
	if !w.private() || len(x.Publishes) == 0 {
		return nil
	}
	var ports []wayout.Port
	for _, p := range published(x) {
		ports = append(ports, wayout.Port{Proto: p.Proto, Host: p.Host, To: p.To})
	}
	if err := wayout.Publish(ctx, dir.Path(), ports); err != nil {
		return fmt.Errorf("lab %q: %w", x.Lab, err)
	}
	return nil
}

// probeOutside finds out, before the first change, whether the machine's ports can be had that the plan is about to publish.
func (w *Warren) probeOutside(ctx context.Context, p *prepared) error {
	if !w.private() || len(p.plan.Steps) == 0 {
		return nil
	}
	live := map[string]bool{}
	if p.former != nil {
		for _, f := range p.former.Publishes {
			live[f.Proto+" "+f.Host.String()] = true
		}
	}
	var errs []error
	for _, pub := range published(p.want) {
		if live[pub.Proto+" "+pub.Host.String()] {
			continue
		}
		f, err := w.outside().Listen(ctx, pub.Proto, pub.Host)
		if err != nil {
			errs = append(errs, fmt.Errorf("lab %q: node %q: %w", p.want.Lab, pub.Node, err))
			continue
		}
		_ = f.Close()
	}
	return errors.Join(errs...)
}
