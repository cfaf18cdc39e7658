package warren

import (
	"context"
	"fmt"

	"warren/internal/lab"
	"warren/plan"
	"warren/state"
	"warren/topo"
)

// Status tells how a lab is: its nodes, its services, and what Up of the lab as it was last brought up would change.
// ErrNotExist when there is nothing of it.
func (w *Warren) Status(ctx context.Context, name string) (*Status, error) {
	x, err := w.recorded(name)
	if err != nil {
		return nil, err
	}
	dir, err := w.runDir().Dir(name)
	if err != nil {
		return nil, err
	}
	st := &Status{Lab: name}
	if h := lab.FindHolder(dir.Path()); h.PID != 0 {
		st.Locked = h.String()
	}
	query := plan.Query(x.Desired, plan.Options{})
	query.Parts |= state.PartProcesses
	have, err := w.kernel.Observe(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("lab %q: observe: %w", name, err)
	}
	there := 0
	for _, n := range x.Nodes {
		ns := NodeStatus{Name: n.Name, NS: n.NS}
		if found := have.Namespace(n.NS); found != nil {
			there++
			ns.Exists, ns.Addrs, ns.Processes = true, addrsOf(found), len(found.Processes)
		}
		st.Nodes = append(st.Nodes, ns)
	}
	if st.Services, err = w.serviceStatus(ctx, dir); err != nil {
		return nil, err
	}
	p, err := plan.Diff(x.Desired, have, plan.Options{})
	if err != nil {
		return nil, fmt.Errorf("lab %q: %w", name, err)
	}
	st.Drift = p.Steps
	for _, o := range p.Other {
		st.Other = append(st.Other, o.NS+": "+o.Object.String())
	}
	switch {
	case there == 0 && len(x.Nodes) > 0:
		st.State = "down"
	case there < len(x.Nodes):
		st.State = "partial"
	case len(p.Steps) > 0:
		st.State = "drifted"
	default:
		st.State = "up"
	}
	return st, nil
}

// recorded is the lab as it was last brought up.
func (w *Warren) recorded(name string) (*topo.Expanded, error) {
	if err := state.CheckLabName(name); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	x, err := w.former(name)
	if err != nil {
		return nil, err
	}
	if x == nil {
		return nil, fmt.Errorf("lab %q: %w (hint: warren labs lists those that are up)", name, ErrNotExist)
	}
	return x, nil
}

// Repair makes a lab again what it was when it was last brought up: Up of the recorded lab, with the addresses that it
// has. What is left of an interrupted Up or Down without a record is taken away.
func (w *Warren) Repair(ctx context.Context, name string, o UpOptions) (*UpReport, error) {
	x, err := w.recorded(name)
	if err != nil {
		return &UpReport{Lab: name}, err
	}
	return w.Up(ctx, x.Source, o)
}
