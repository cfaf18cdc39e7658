package warren

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
	"warren/topo"
)

// A WhyQuery asks whether a packet arrives, see [Warren.Why].
type WhyQuery struct {
	// Source is the namespace that sends: whatever [Warren.Resolve] takes. Required.
	Source string
	// Destination is DST[:PORT][/tcp|udp|icmp]; DST is an address, a namespace or "out". Required.
	Destination string
	// From is the source address; zero = as the kernel chooses.
	From netip.Addr
	Mark uint32 // SO_MARK of the sender
	// Size is the IP packet's length in bytes, not to be fragmented; 0 = a small one.
	Size int
	TTL  uint8 // 0 = 64
	// Lab narrows names to one lab.
	Lab string
	// Unprivileged asks for a sender without CAP_NET_RAW, of group GID.
	Unprivileged bool
	GID          uint32
	// Explain lists every rule that was looked at.
	Explain bool
}

// outside stands for everything beyond the host (RFC 5737, TEST-NET-1, and RFC 3849): no namespace has it, so the default
// routes decide.
func outside(is6 bool) netip.Addr {
	if is6 {
		return netip.MustParseAddr("2001:db8:ffff::1")
	}
	return netip.MustParseAddr("192.0.2.1")
}

// ErrQuestion says that the question itself makes no sense (no such address, families that differ, a size that no packet has).
var ErrQuestion = errors.New("that cannot be asked")

// whySteps bounds how often the kernel is asked for what a walk still misses.
const whySteps = 48

// Why tells whether a packet from a namespace arrives, whether the answer comes back, and if not, where it dies and what
// would help. It reads only the namespaces that the walk passes. Errors are for questions that make no sense
// (ErrNotExist, ErrAmbiguous) and for a kernel that cannot be read; what cannot be told is a verdict of "unknown".
func (w *Warren) Why(ctx context.Context, q WhyQuery) (reach.Verdict, error) {
	d, err := reach.ParseDestination(q.Destination)
	if err != nil {
		return reach.Verdict{}, err
	}
	source, err := w.Resolve(q.Lab, q.Source)
	if err != nil {
		return reach.Verdict{}, w.suggest(ctx, err, q.Source)
	}
	defer w.kernel.Rest()
	g := &gatherer{observe: w.kernel.Observe, closer: w.kernel.LookCloser, onlyIPv4: d.Addr.Is4() && q.Destination != "out"}
	names := []string{source.NS}
	target := ""
	if d.Name != "" && d.Name != "out" {
		t, err := w.Resolve(q.Lab, d.Name)
		if err != nil {
			return reach.Verdict{}, w.suggest(ctx, err, d.Name)
		}
		target = t.NS
		if target != source.NS {
			names = append(names, target)
		}
	}
	if err := g.whole(ctx, names...); err != nil {
		return reach.Verdict{}, err
	}
	flow, err := q.flow(&g.have, d, source.NS, target)
	if err != nil {
		return reach.Verdict{}, err
	}
	for range whySteps {
		v, missing := reach.Trace(&g.have, *flow)
		if missing.Empty() {
			return w.withProcesses(ctx, g, v, flow)
		}
		grown, err := g.more(ctx, missing)
		if err != nil {
			return reach.Verdict{}, err
		}
		flow.Complete, flow.Asked = flow.Complete || !grown, g.asks
	}
	return reach.Verdict{}, fmt.Errorf("why: the way from %q does not end", q.Source)
}

// withProcesses reads who holds the sockets, where the answer is about one.
func (w *Warren) withProcesses(ctx context.Context, g *gatherer, v reach.Verdict, flow *reach.Flow) (reach.Verdict, error) {
	if v.Reason == nil || !strings.HasPrefix(string(v.Reason.Code), "listener-") {
		return v, nil
	}
	s, err := w.kernel.Observe(ctx, state.Query{Names: g.keys(), Parts: state.PartSockets | state.PartProcesses})
	if err != nil {
		return v, err
	}
	for i := range g.have.Namespaces {
		ns := &g.have.Namespaces[i]
		if now := s.Namespace(ns.Name); now != nil && isWhole(ns) {
			ns.Sockets = now.Sockets
		}
	}
	if again, missing := reach.Trace(&g.have, *flow); missing.Empty() {
		return again, nil
	}
	return v, nil
}

// Why answers the same question from a snapshot that was taken before.
func Why(s *state.Snapshot, q WhyQuery) (reach.Verdict, error) {
	d, err := reach.ParseDestination(q.Destination)
	if err != nil {
		return reach.Verdict{}, err
	}
	source, err := nameIn(s, q.Lab, q.Source)
	if err != nil {
		return reach.Verdict{}, err
	}
	target := ""
	if d.Name != "" && d.Name != "out" {
		if target, err = nameIn(s, q.Lab, d.Name); err != nil {
			return reach.Verdict{}, err
		}
	}
	flow, err := q.flow(s, d, source, target)
	if err != nil {
		return reach.Verdict{}, err
	}
	flow.Complete = true
	v, _ := reach.Trace(s, *flow)
	return v, nil
}

// nameIn finds a namespace of a snapshot by its key, one of its names, or a node's name that only one lab has.
func nameIn(s *state.Snapshot, lab, name string) (string, error) {
	if s.Namespace(name) != nil && lab == "" {
		return name, nil
	}
	var found, all []string
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		_, node, inLab := strings.Cut(n.Name, ".")
		if all = append(all, n.Name); inLab {
			all = append(all, node)
		}
		switch {
		case lab != "" && n.Name == lab+"."+name, lab == "" && slices.Contains(n.Names, name):
			return n.Name, nil
		case lab == "" && node == name:
			found = append(found, n.Name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		if near := topo.Nearest(name, all); near != "" {
			return "", fmt.Errorf("namespace %q: %w in the snapshot (hint: did you mean %s?)", name, ErrNotExist, near)
		}
		return "", fmt.Errorf("namespace %q: %w in the snapshot", name, ErrNotExist)
	}
	return "", fmt.Errorf("node %q %w: %s", name, ErrAmbiguous, strings.Join(found, ", "))
}

// suggest adds the nearest name to the error of one that does not exist.
func (w *Warren) suggest(ctx context.Context, err error, name string) error {
	if !errors.Is(err, ErrNotExist) {
		return err
	}
	list, _ := w.List(ctx)
	var names []string
	for _, n := range list {
		names = append(names, n.Name)
		if _, node, ok := strings.Cut(n.Name, "."); ok {
			names = append(names, node)
		}
	}
	if near := topo.Nearest(name, names); near != "" {
		return fmt.Errorf("namespace %q: %w (hint: did you mean %s?)", name, ErrNotExist, near)
	}
	return err
}

// flow is the question in the walk's terms.
func (q *WhyQuery) flow(s *state.Snapshot, d reach.Destination, source, target string) (*reach.Flow, error) {
	f := &reach.Flow{
		Source: source, Dst: d.Addr, Target: target, Proto: d.Proto, Port: d.Port, From: q.From, Mark: q.Mark, Size: q.Size, TTL: q.TTL,
		Unprivileged: q.Unprivileged, GID: q.GID, Explain: q.Explain, Rules: ruleTexts(),
	}
	if f.Proto == 0 {
		f.Proto = filter.ICMP
	}
	from := s.Namespace(source)
	if from == nil {
		return nil, fmt.Errorf("namespace %q: %w", q.Source, ErrNotExist)
	}
	switch {
	case d.Name == "out":
		f.Out, f.Dst = true, outside(q.From.Is6() && !q.From.Is4In6())
	case d.Name != "":
		to := s.Namespace(target)
		if to == nil {
			return nil, fmt.Errorf("namespace %q: %w", d.Name, ErrNotExist)
		}
		a, ok := addressOf(from, to, q.From)
		if !ok {
			return nil, fmt.Errorf("%w: namespace %q has no address to send to (hint: name an address, or give it one)", ErrQuestion, d.Name)
		}
		f.Dst = a
	}
	if !f.Dst.IsValid() || f.Dst.IsUnspecified() {
		return nil, fmt.Errorf("%w: destination %q is no address to send to", ErrQuestion, q.Destination)
	}
	if q.From.IsValid() && q.From.Unmap().Is6() != f.Dst.Is6() {
		return nil, fmt.Errorf("%w: source %s and destination %s are of different families", ErrQuestion, q.From, f.Dst)
	}
	f.From = q.From.Unmap()
	if least := leastSize(f); q.Size != 0 && (q.Size < least || q.Size > 65535) {
		return nil, fmt.Errorf("%w: size %d, and an IP packet of that protocol has from %d to 65535 bytes", ErrQuestion, q.Size, least)
	}
	return f, nil
}

func leastSize(f *reach.Flow) int {
	n := 28
	if f.Proto == filter.TCP {
		n = 40
	}
	if f.Dst.Is6() {
		n += 20
	}
	return n
}

// addressOf chooses by which of its addresses a namespace is meant: one on a subnet of the asker's, else its first global
// one; of the family of the source address where that is given.
func addressOf(from, to *state.Namespace, src netip.Addr) (netip.Addr, bool) {
	var first netip.Addr
	for _, a := range to.Addrs {
		ip := a.Prefix.Addr()
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() || src.IsValid() && src.Unmap().Is6() != ip.Is6() {
			continue
		}
		if from.Name != to.Name && slices.ContainsFunc(from.Addrs, func(b state.Addr) bool { return b.Prefix.Contains(ip) && b.Prefix.Bits() < ip.BitLen() }) {
			return ip, true
		}
		if !first.IsValid() || first.Is6() && ip.Is4() {
			first = ip
		}
	}
	return first, first.IsValid()
}
