package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/plan"
	"warren/state"
)

// A contentsRun carries out steps inside of one namespace: requests are collected and sent together, until something has
// to be known before the next one can be made.
type contentsRun struct {
	w       *work
	space   *space
	steps   []plan.Step
	results []result
	pending []op
	sysctls []int // steps that write sysctls, one after the other
	born    bool  // links were made, whose indexes nobody has asked for yet
	failed  bool
}

// changeContents does steps of all kinds but namespaces, cables that come, and the firewall.
func (w *work) changeContents(ns string, steps []plan.Step, results []result) {
	sp, err := w.spaces.get(w.ctx, ns)
	if err != nil {
		results[0].set(err)
		return
	}
	r := &contentsRun{w: w, space: sp, steps: steps, results: results}
	r.learn()
	for i := range steps {
		r.step(i)
		if r.failed {
			return
		}
	}
	r.flush()
}

// learn asks at once for the indexes of all links that the steps name and that are there already.
func (r *contentsRun) learn() {
	var names []string
	born := map[string]bool{}
	for _, s := range r.steps {
		if l := s.After.Link; l != nil && s.Before.IsZero() {
			born[l.Name] = true
		}
		for _, n := range linkNames(s) {
			if !born[n] {
				names = append(names, n)
			}
		}
	}
	r.space.lookUp(names)
}

// linkNames lists the links that a step refers to by index: changes of links go by name.
func linkNames(s plan.Step) []string {
	var names []string
	for _, o := range []plan.Object{s.Before, s.After} {
		switch {
		case o.Link != nil:
			names = append(names, o.Link.Master)
			if o.Link.Lower != nil {
				names = append(names, o.Link.Lower.Name)
			}
		case o.Addr != nil:
			names = append(names, o.Addr.Link)
		case o.Route != nil:
			for _, h := range o.Route.NextHops {
				names = append(names, h.Link)
			}
		case o.Neighbor != nil:
			names = append(names, o.Neighbor.Link)
		case o.FDB != nil:
			names = append(names, o.FDB.Link, o.FDB.Master, o.FDB.Via)
		}
	}
	return names
}

// step takes up one step: it is done, or collected, or has failed.
func (r *contentsRun) step(i int) {
	s := r.steps[i]
	if s.Object().Sysctl != nil {
		if r.flushRequests() {
			r.sysctls = append(r.sysctls, i)
		}
		return
	}
	if !r.flushSysctls() {
		return
	}
	if l := s.After.Link; l != nil && s.Before.IsZero() {
		if r.flushRequests() {
			r.finish(i, r.makeLink(*l))
			r.born = true
		}
		return
	}
	if r.born {
		r.space.lookUp(linkNames(s))
	}
	reqs, err := encode(s, &r.space.names)
	if err != nil {
		// What was collected before comes first.
		if r.flushRequests() {
			r.finish(i, err)
		}
		return
	}
	r.pending = append(r.pending, op{step: i, reqs: reqs})
}

func (r *contentsRun) finish(i int, err error) {
	r.results[i].set(err)
	r.failed = r.failed || err != nil
}

func (r *contentsRun) flush() bool { return r.flushRequests() && r.flushSysctls() }

// flushRequests sends what was collected. It reports whether the run goes on.
func (r *contentsRun) flushRequests() bool {
	if r.failed {
		return false
	}
	ops := r.pending
	r.pending = nil
	for j, err := range send(r.space.route, ops) {
		i := ops[j].step
		if err != nil && len(ops[j].reqs) > 1 {
			r.revert(i)
		}
		if n := r.steps[i].After.Neighbor; n != nil && errors.Is(err, unix.EEXIST) {
			err = r.overLearned(*n, err)
		}
		if err == nil {
			r.space.forget(r.steps[i])
		}
		r.finish(i, err)
	}
	return !r.failed
}

// revert undoes the part of a step that was done.
func (r *contentsRun) revert(i int) {
	s := r.steps[i]
	s.Before, s.After = s.After, s.Before
	if reqs, err := encode(s, &r.space.names); err == nil {
		_ = r.space.route.Batch(reqs) // what was not done cannot be undone: errors are expected
	}
}

// overLearned makes a neighbour in the place of one that the kernel has learned by itself: such an entry is nobody's.
func (r *contentsRun) overLearned(n state.Neighbor, refusal error) error {
	msgs, err := r.space.route.Dump(r.w.ctx, rtnl.DumpNeighbors(n.Proxy))
	if err != nil {
		return refusal
	}
	made, err := rtnl.DecodeNeighbors(inState(unix.NUD_PERMANENT|unix.NUD_NOARP, msgs), &r.space.names)
	if err != nil || n.Proxy || slices.ContainsFunc(made, func(m state.Neighbor) bool { return m.Link == n.Link && m.IP == n.IP }) {
		return refusal
	}
	req, err := rtnl.ReplaceNeighbor(n, &r.space.names)
	if err != nil {
		return err
	}
	return r.space.route.Batch([]nl.Request{req})[0]
}

// forget drops the indexes of links that a step removed.
func (s *space) forget(done plan.Step) {
	if !done.After.IsZero() {
		return
	}
	var names []string
	switch {
	case done.Before.Link != nil:
		names = []string{done.Before.Link.Name}
	case done.Before.Cable != nil:
		names = []string{done.Before.Cable.A.Link.Name, done.Before.Cable.B.Link.Name}
	}
	for _, n := range names {
		if i, ok := s.names.Index(n); ok {
			s.names.Remove(i)
		}
	}
}

// flushSysctls writes the sysctls that were collected, in one visit.
func (r *contentsRun) flushSysctls() bool {
	if r.failed {
		return false
	}
	list := r.sysctls
	r.sysctls = nil
	if len(list) == 0 {
		return true
	}
	err := r.space.ns.Do(func() error {
		p := newProc(1)
		for _, i := range list {
			var err error
			if v := r.steps[i].After.Sysctl; v != nil { // one that goes, goes with its link
				err = p.write(*v)
			}
			r.finish(i, err)
			if err != nil {
				break
			}
		}
		return nil
	})
	if err != nil {
		r.finish(list[0], err)
	}
	return !r.failed
}

// makeLink makes a link, and takes it away again when it cannot be finished. What follows goes by name, so it must not be
// sent before the birth is known to have succeeded.
func (r *contentsRun) makeLink(l state.Link) error {
	sp := r.space
	l.Bridge = birthBridge(l.Bridge)
	sp.lookUp(linkNames(plan.Step{After: plan.Object{Link: &l}}))
	born := l
	born.MTU = birthMTU(l)
	req, err := rtnl.CreateLink(born, rtnl.LinkOptions{}, &sp.names)
	if err != nil {
		return err
	}
	if err := sp.route.Batch([]nl.Request{req})[0]; err != nil {
		return err
	}
	reqs, err := rtnl.FinishLink(l, false, &sp.names)
	if err == nil && born.MTU != l.MTU {
		var change []nl.Request
		change, err = rtnl.ChangeLink(state.Link{Name: l.Name, Up: l.Up, MTU: born.MTU}, state.Link{Name: l.Name, Up: l.Up, MTU: l.MTU}, &sp.names)
		reqs = append(reqs, change...)
	}
	if err == nil && len(reqs) > 0 {
		err = errors.Join(sp.route.Batch(reqs)...)
	}
	if err == nil {
		err = silence(sp.route, l)
	}
	if err == nil {
		return nil
	}
	if req, derr := rtnl.DeleteLink(l.Name); derr == nil {
		err = errors.Join(err, sp.route.Batch([]nl.Request{req})[0])
	}
	return err
}

// birthMTU is another MTU than the wanted one for a bridge: it follows its ports until somebody sets it, and neither its birth
// nor setting what it is already counts as that (net/bridge/br_device.c, br_change_mtu).
func birthMTU(l state.Link) uint32 {
	switch {
	case l.Kind != "bridge" || l.MTU == 0:
		return l.MTU
	case l.MTU == 65535:
		return l.MTU - 1
	default:
		return l.MTU + 1
	}
}

// birthBridge leaves out that a new bridge does not filter VLANs: a kernel without VLAN filtering refuses to hear it.
func birthBridge(b *state.Bridge) *state.Bridge {
	if b == nil || b.VLANFiltering == nil || *b.VLANFiltering {
		return b
	}
	c := *b
	c.VLANFiltering = nil
	return &c
}

// changeLink turns a link's fields from before to after. A field that is zero in after and not in before is taken away.
func changeLink(before, after state.Link, names rtnl.Names) ([]nl.Request, error) {
	first := after
	if before.Master != after.Master {
		first.Port = nil // the kernel looks at a port's attributes before it makes the link a port
	}
	reqs, err := rtnl.ChangeLink(before, first, names)
	if err != nil {
		return nil, err
	}
	if after.Port != nil && first.Port == nil {
		second, err := rtnl.ChangeLink(state.Link{Name: after.Name, Up: after.Up}, state.Link{Name: after.Name, Up: after.Up, Port: after.Port}, names)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, second...)
	}
	if before.Master != "" && after.Master == "" {
		req, err := rtnl.ReleaseLink(after.Name)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, req)
	}
	if len(before.AltNames) > 0 && len(after.AltNames) == 0 {
		req, err := rtnl.DeleteAltNames(after.Name, before.AltNames...)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, req)
	}
	if before.Alias != "" && after.Alias == "" {
		req, err := clearAlias(after.Name)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, req)
	}
	return reqs, nil
}

// clearAlias takes a link's alias away: an IFLA_IFALIAS without content.
func clearAlias(name string) (nl.Request, error) {
	if err := state.CheckName(name, state.MaxAltName); err != nil {
		return nl.Request{}, fmt.Errorf("link %w", err)
	}
	req, err := rtnl.GetLink(name) // for its header and its name
	if err != nil {
		return nl.Request{}, err
	}
	const header = unix.SizeofIfInfomsg
	nameLen := int(binary.NativeEndian.Uint16(req.Data[header:]))
	data := append([]byte(nil), req.Data[:header+(nameLen+3)&^3]...)
	data = binary.NativeEndian.AppendUint16(data, unix.SizeofRtAttr)
	data = binary.NativeEndian.AppendUint16(data, unix.IFLA_IFALIAS)
	return nl.Request{Type: unix.RTM_NEWLINK, Data: data}, nil
}
