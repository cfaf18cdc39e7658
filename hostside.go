package warren

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"warren/internal/lab"
	"warren/plan"
	"warren/state"
	"warren/topo"
)

const errPermission = syscall.EPERM

func (w *Warren) ledger() *lab.Ledger { return w.runDir().Ledger(lab.ProcSys{}) }

// split takes the host's own sysctls out of the plan: their former values have to be kept over the end of the process and
// be shared with other labs, so they go through the ledger. Those of links that the lab makes go with the links.
func (p *prepared) split() (steps []plan.Step, sysctls []state.Sysctl) {
	host := p.want.Desired.Namespace(state.HostNS)
	if host == nil {
		return p.plan.Steps, nil
	}
	shared := func(key string) bool {
		parts := strings.Split(key, "/")
		return len(parts) < 5 || host.Link(parts[3]) == nil
	}
	for _, s := range host.Sysctls {
		if shared(s.Key) {
			sysctls = append(sysctls, s)
		}
	}
	steps = slices.DeleteFunc(slices.Clone(p.plan.Steps), func(s plan.Step) bool {
		return s.NS == state.HostNS && s.Object().Sysctl != nil && shared(s.Object().Sysctl.Key)
	})
	return steps, sysctls
}

// releaseUnwanted gives back the host's sysctls that the lab needed formerly and does not any more.
func (w *Warren) releaseUnwanted(ledger *lab.Ledger, name string, want []state.Sysctl) error {
	held, err := ledger.Held()
	if err != nil {
		return err
	}
	var keys []string
	for _, h := range held {
		if slices.Contains(h.Users, name) && !slices.ContainsFunc(want, func(s state.Sysctl) bool { return s.Key == h.Key }) {
			keys = append(keys, h.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	_, err = ledger.Release(name, keys...)
	return err
}

// bindProbes finds listeners of others on ports that the plan is about to publish: nftables would take the packets away
// from them. Ports of other labs are found by the plan.
func bindProbes(p *prepared) error {
	added := map[netip.AddrPort]bool{}
	publishing := false
	for _, s := range p.plan.Steps {
		publishing = publishing || s.After.Elements != nil || s.NS == state.HostNS && s.After.Table != nil
	}
	if !publishing {
		return nil
	}
	live := map[string]bool{}
	if p.former != nil {
		for _, f := range p.former.Publishes {
			live[f.Proto+" "+f.Host.String()] = true
		}
	}
	var errs []error
	for _, pub := range p.want.Publishes {
		if live[pub.Proto+" "+pub.Host.String()] || added[pub.Host] {
			continue
		}
		if err := cmp.Or(portClash(p.have.Namespace(state.HostNS), p.want.Lab, pub), bindProbe(pub)); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// bindProbe tries to listen where a port is to be published.
func bindProbe(pub topo.PublishInfo) error {
	var err error
	switch pub.Proto {
	case "udp":
		var c *net.UDPConn
		if c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(pub.Host)); err == nil {
			_ = c.Close()
		}
	default:
		var l *net.TCPListener
		if l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(pub.Host)); err == nil {
			_ = l.Close()
		}
	}
	switch {
	case err == nil, errors.Is(err, syscall.EADDRNOTAVAIL): // an address that comes with the uplink itself
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		if who := listenerOf(pub); who != "" {
			return fmt.Errorf("publish %s/%s of node %q: %s listens on that port of the host (hint: publish another port, or end that program)", pub.Host, pub.Proto, pub.Node, who)
		}
		return fmt.Errorf("publish %s/%s of node %q: somebody listens on that port of the host (hint: ss -lnp 'sport = :%d' shows who)", pub.Host, pub.Proto, pub.Node, pub.Host.Port())
	default:
		return fmt.Errorf("publish %s/%s of node %q: %w", pub.Host, pub.Proto, pub.Node, err)
	}
}

// tidy removes the run directory when no lab and no ledger is left in it.
func (w *Warren) tidy(ctx context.Context, name string) error {
	host, err := w.lockHost(ctx, name)
	if err != nil {
		return err
	}
	defer host.Unlock()
	return w.runDir().RemoveIfEmpty()
}
