package reachtest_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/state"
)

// settleAll is settle for all that has a name.
func settleAll(t *testing.T, w *warren.Warren) {
	t.Helper()
	entries, err := os.ReadDir("/run/netns")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err := settle(t.Context(), w, names); err != nil {
		t.Error(err)
	}
}

// settle waits until the kernel has done what it does with delay: tell links of each other's carriers, make addresses usable,
// and give those of IPv6 their local routes.
func settle(ctx context.Context, w *warren.Warren, names []string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 1200 {
		s, err := w.Observe(ctx, state.Query{Names: names, Parts: state.PartLinks | state.PartAddrs | state.PartRoutes})
		if err != nil {
			return err
		}
		if settled(&s) {
			return nil
		}
		<-tick.C
	}
	return errors.New("links do not settle")
}

func settled(s *state.Snapshot) bool {
	for i := range s.Namespaces {
		ns := &s.Namespaces[i]
		for _, a := range ns.Addrs {
			l := ns.Link(a.Link)
			if l == nil || a.Flags&state.AddrDADFailed != 0 {
				continue
			}
			if (l.OperState == "UP" || l.Up && a.Flags&unix.IFA_F_NODAD != 0) && !ready(ns, a) {
				return false
			}
		}
		for _, l := range ns.Links {
			if l.Kind != "veth" || l.Peer == nil || !l.Up {
				continue
			}
			far := s.Namespace(l.Peer.NS)
			if far == nil {
				continue
			}
			if p := far.Link(l.Peer.Name); p != nil && p.Up != (l.OperState == "UP") {
				return false
			}
		}
	}
	return true
}

// ready says whether an address is usable. A worker of the kernel clears the flag first, and puts in the local route of an
// IPv6 address after that.
func ready(ns *state.Namespace, a state.Addr) bool {
	if a.Flags&state.AddrTentative != 0 {
		return false
	}
	own := a.Prefix.Addr()
	return own.Is4() || slices.ContainsFunc(ns.Routes, func(r state.Route) bool {
		return r.Type == "local" && r.Dst == netip.PrefixFrom(own, own.BitLen())
	})
}
