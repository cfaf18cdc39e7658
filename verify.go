package warren

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kernel"
	"warren/plan"
	"warren/state"
)

// How long what is left after Apply gets to vanish: a difference, for some of what the kernel does comes a moment later,
// and missing carriers, of which it reports hundreds at a time, one after the other.
const (
	verifyFor  = time.Second
	carrierFor = 10 * time.Second
)

// verify reads the kernel again: nothing may be left to do, and every cable must carry packets.
func (w *Warren) verify(ctx context.Context, p *prepared) error {
	w.event(Event{Lab: p.want.Lab, Phase: "verify"})
	asked := plan.Recheck(p.want.Desired, p.asked, p.plan.Steps)
	var seen state.Snapshot
	err := until(ctx, verifyFor, func() (string, error) {
		var err error
		seen, err = w.readBack(ctx, p, asked)
		if err != nil {
			return "", fmt.Errorf("lab %q: read back: %w", p.want.Lab, err)
		}
		have := plan.Merge(p.have, p.withPorts(seen), asked)
		left, err := plan.Diff(p.want.Desired, have, plan.Options{})
		if err != nil {
			return "", fmt.Errorf("lab %q: compare: %w", p.want.Lab, err)
		}
		if left.Empty() {
			return "", nil
		}
		return fmt.Sprintf("lab %q: the kernel does not hold what it was told to; %d differences, the first: %s", p.want.Lab, len(left.Steps), left.Steps[0]), nil
	})
	if err != nil {
		return err
	}
	return until(ctx, carrierFor, func() (string, error) {
		names, first := silent(p.want.Desired, seen, asked.Names)
		if len(names) == 0 {
			return "", nil
		}
		var err error
		seen, err = w.readBack(ctx, p, state.Query{Names: names, Parts: state.PartLinks, Ours: true})
		if err != nil {
			return "", fmt.Errorf("lab %q: wait for carriers: %w", p.want.Lab, err)
		}
		return fmt.Sprintf("lab %q: %s has no carrier", p.want.Lab, first), nil
	})
}

// readBack reads again what may have changed. Of the host that is only those links that were read before, when not all were.
func (w *Warren) readBack(ctx context.Context, p *prepared, q state.Query) (state.Snapshot, error) {
	at, found := slices.BinarySearch(q.Names, state.HostNS)
	if p.hostLinks == nil || !found {
		return w.kernel.Observe(ctx, q)
	}
	host := state.Query{Names: []string{state.HostNS}, Parts: p.hostParts & q.PartsOf(state.HostNS), SysctlKeys: q.SysctlKeys}
	have, _, err := w.kernel.ObserveSome(ctx, host, kernel.Some{Links: append(portless(p.want.Desired.Namespace(state.HostNS)), p.hostLinks...)})
	if err != nil {
		return have, err
	}
	q.Names = slices.Delete(slices.Clone(q.Names), at, at+1)
	again, err := w.kernel.Observe(ctx, q)
	if err != nil {
		return have, err
	}
	have.Namespaces = append(have.Namespaces, again.Namespaces...)
	have.Unread = append(have.Unread, again.Unread...)
	slices.SortFunc(have.Namespaces, func(a, b state.Namespace) int { return strings.Compare(a.Name, b.Name) })
	if n := have.Namespace(state.HostNS); n != nil {
		links := linksOf(p.want.Desired.Namespace(state.HostNS))
		for i := range n.Links {
			if l := links[n.Links[i].Name]; l != nil && l.Peer != nil {
				join(state.HostNS, &n.Links[i], l.Peer.NS, have.Namespace(l.Peer.NS), l.Peer.Name)
			}
		}
	}
	return have, nil
}

// withPorts completes what readBack read with the host's links that were not.
func (p *prepared) withPorts(seen state.Snapshot) state.Snapshot {
	host, before := seen.Namespace(state.HostNS), p.have.Namespace(state.HostNS)
	if p.hostLinks == nil || host == nil || before == nil {
		return seen
	}
	read := map[string]bool{}
	for _, name := range p.hostLinks {
		read[name] = true
	}
	for i := range host.Links {
		read[host.Links[i].Name] = true
	}
	all := *host
	all.Links = slices.Clone(host.Links)
	for _, l := range before.Links {
		if !read[l.Name] {
			all.Links = append(all.Links, l)
		}
	}
	all.Sort()
	seen.Namespaces = slices.Clone(seen.Namespaces)
	*seen.Namespace(state.HostNS) = all
	return seen
}

// until calls f until it has nothing more to say. When the time is over what it says is the error.
func until(ctx context.Context, d time.Duration, f func() (string, error)) error {
	deadline := time.Now().Add(d)
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		left, err := f()
		switch {
		case err != nil:
			return err
		case left == "":
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%s", left)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Values of BR_STATE_* (linux/if_bridge.h).
const (
	portListening  = 1
	portForwarding = 3
)

// silent lists the namespaces, of those that were looked at, with a cable that is up at both ends and does not carry packets
// yet, or that leads to a port which does not forward yet. The kernel works on that in the background when up is done
// (net/core/link_watch.c). It also names the first such link. Ports of a bridge with the spanning tree protocol take their
// half minute, and are not waited for; neither are those that were on their way when it was switched off.
func silent(want state.Desired, have state.Snapshot, looked []string) (names []string, first string) {
	for _, name := range looked {
		w, h := want.Namespace(name), have.Namespace(name)
		if w == nil || h == nil {
			continue
		}
		links := make(map[string]*state.Link, len(h.Links))
		for i := range h.Links {
			links[h.Links[i].Name] = &h.Links[i]
		}
		for i := range w.Links {
			l := &w.Links[i]
			now := links[l.Name]
			if now == nil || !l.Up || l.Peer == nil || !upAt(want, l.Peer) {
				continue
			}
			forwards := now.Port == nil || now.Port.State == nil || *now.Port.State >= portListening && *now.Port.State <= portForwarding || slow(w, l.Master)
			if now.Flags&unix.IFF_RUNNING == 0 || !forwards {
				names = append(names, name)
				if first == "" {
					first = l.Name + " in " + name
				}
				break
			}
		}
	}
	return names, first
}

// upAt reports whether the other end of a cable is wanted up.
func upAt(want state.Desired, p *state.Peer) bool {
	n := want.Namespace(p.NS)
	if n == nil {
		return false
	}
	l := n.Link(p.Name)
	return l != nil && l.Up
}

// slow reports whether a bridge runs the spanning tree protocol.
func slow(n *state.DesiredNamespace, bridge string) bool {
	l := n.Link(bridge)
	return l != nil && l.Bridge != nil && l.Bridge.STP != nil && *l.Bridge.STP
}
