package kernel

import (
	"errors"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/plan"
	"warren/state"
)

// makeCables makes veth pairs, all asked for by the namespace of their ends A. What the kernel does not take at birth
// follows when the births are known to have succeeded: it goes by name, and must not hit a foreign link of that name.
func (w *work) makeCables(ns string, steps []plan.Step, results []result) {
	near, err := w.spaces.get(w.ctx, ns)
	if err != nil {
		results[0].set(err)
		return
	}
	var masters []string
	for _, s := range steps {
		masters = append(masters, s.After.Cable.A.Link.Master)
	}
	near.lookUp(masters)
	reqs := make([]nl.Request, 0, len(steps))
	for i, s := range steps {
		req, err := w.cable(near, s.After.Cable, indexes)
		if err != nil {
			results[i].set(err)
			break // those before it are made
		}
		reqs = append(reqs, req)
	}
	for i, err := range near.route.Batch(reqs) {
		if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EEXIST) { // an index is taken, or a name: then it says so again
			err = w.cableAnywhere(near, steps[i].After.Cable)
		}
		results[i].set(err)
	}
	w.finishCables(near, steps, results)
}

// cableAnywhere makes one cable with indexes of the kernel's choice.
func (w *work) cableAnywhere(near *space, c *plan.Cable) error {
	req, err := w.cable(near, c, func(*space, *space) (int, int) { return 0, 0 })
	if err != nil {
		return err
	}
	return near.route.Batch([]nl.Request{req})[0]
}

func (w *work) cable(near *space, c *plan.Cable, choose func(a, b *space) (int, int)) (nl.Request, error) {
	a, b := rtnl.End{Link: c.A.Link}, rtnl.End{Link: c.B.Link}
	if c.B.NS != c.A.NS {
		far, err := w.spaces.get(w.ctx, c.B.NS)
		if err != nil {
			return nl.Request{}, err
		}
		b.NS = rtnl.InNS(far.ns.FD())
		a.Index, b.Index = choose(near, far)
	}
	return rtnl.CreateCable(a, b, &near.names)
}

// finishCables gives the ends alternative names and the like. A cable of which an end cannot be finished is taken away.
func (w *work) finishCables(near *space, steps []plan.Step, results []result) {
	var ops []op
	for i, s := range steps {
		if !results[i].tried || results[i].err != nil {
			continue
		}
		reqs, err := rtnl.FinishLink(s.After.Cable.A.Link, false, &near.names)
		if err != nil {
			results[i].err = w.undoCable(near, s, err)
			continue
		}
		if len(reqs) > 0 {
			ops = append(ops, op{step: i, reqs: reqs})
		}
	}
	for j, err := range send(near.route, ops) {
		if i := ops[j].step; err != nil {
			results[i].err = w.undoCable(near, steps[i], err)
		}
	}
	w.silenceCables(near, steps, results)
	for i, s := range steps {
		b := s.After.Cable.B
		if !results[i].tried || results[i].err != nil || !needsFinish(b.Link) {
			continue
		}
		if err := w.finishFar(b); err != nil {
			results[i].err = w.undoCable(near, s, err)
		}
	}
}

// silenceCables keeps ends A from giving themselves IPv6 addresses. They have no carrier yet, and so have not begun to.
func (w *work) silenceCables(near *space, steps []plan.Step, results []result) {
	var ops []op
	for i, s := range steps {
		l := s.After.Cable.A.Link
		if !l.NoAddrGen || !results[i].tried || results[i].err != nil {
			continue
		}
		req, err := rtnl.SetAddrGen(l.Name, true)
		if err != nil {
			results[i].err = w.undoCable(near, s, err)
			continue
		}
		ops = append(ops, op{step: i, reqs: []nl.Request{req}})
	}
	for j, err := range send(near.route, ops) {
		if i := ops[j].step; err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
			results[i].err = w.undoCable(near, steps[i], err)
		}
	}
}

// silence does the same for one link. A link without IPv6 is silent already.
func silence(conn *nl.Conn, l state.Link) error {
	if !l.NoAddrGen {
		return nil
	}
	req, err := rtnl.SetAddrGen(l.Name, true)
	if err != nil {
		return err
	}
	if err := conn.Batch([]nl.Request{req})[0]; !errors.Is(err, unix.EAFNOSUPPORT) {
		return err
	}
	return nil
}

// needsFinish reports whether a peer has anything that it cannot be born with. Up, master and port are steps of their own.
func needsFinish(l state.Link) bool { return l.Alias != "" || len(l.AltNames) > 0 || l.NoAddrGen }

func (w *work) finishFar(b plan.End) error {
	far, err := w.spaces.get(w.ctx, b.NS)
	if err != nil {
		return err
	}
	l := b.Link
	l.Port, l.Master, l.Up = nil, "", false
	reqs, err := rtnl.FinishLink(l, true, &far.names)
	if err != nil {
		return err
	}
	if err := errors.Join(far.route.Batch(reqs)...); err != nil {
		return err
	}
	return silence(far.route, l)
}

func (w *work) undoCable(near *space, s plan.Step, cause error) error {
	req, err := rtnl.DeleteLink(s.After.Cable.A.Link.Name)
	if err == nil {
		err = near.route.Batch([]nl.Request{req})[0]
	}
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return errors.Join(cause, err)
	}
	return cause
}

// lookUp asks for the indexes of links that are not known yet, in one datagram. What is not there stays unknown: the
// encoder will say so.
func (s *space) lookUp(names []string) {
	var reqs []nl.Request
	var asked []string
	for i, name := range names {
		if name == "" {
			continue
		}
		if _, ok := s.names.Index(name); ok {
			continue
		}
		known := false
		for _, n := range names[:i] {
			known = known || n == name
		}
		if known {
			continue
		}
		if req, err := rtnl.GetLink(name); err == nil {
			reqs, asked = append(reqs, req), append(asked, name)
		}
	}
	if len(reqs) == 0 {
		return
	}
	for i, r := range s.route.Exchange(reqs) {
		for _, m := range r.Messages {
			if l, err := rtnl.DecodeLink(m.Data, nil); err == nil {
				s.names.Set(l.Index, l.Name)
				if l.Name != asked[i] {
					s.names.SetAlt(l.Index, asked[i])
				}
			}
		}
	}
}

// An op is what one step sends: all of its requests, or none, are to have an effect.
type op struct {
	step int // position in the group
	reqs []nl.Request
}

// send sends the requests of all ops in as few datagrams as possible and returns an error, or nil, for each op.
func send(conn *nl.Conn, ops []op) []error {
	var reqs []nl.Request
	for _, o := range ops {
		reqs = append(reqs, o.reqs...)
	}
	if len(reqs) == 0 {
		return make([]error, len(ops))
	}
	answers := conn.Batch(reqs)
	errs := make([]error, len(ops))
	for i, o := range ops {
		for _, err := range answers[:len(o.reqs)] {
			if err != nil && errs[i] == nil {
				errs[i] = err
			}
		}
		answers = answers[len(o.reqs):]
	}
	return errs
}
