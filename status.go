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
	if x.Source.Edited {
		st.Edited = x.Source.File
	}
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
	st.Drift, st.Differences = p.Steps, differences(p.Steps)
	u, err := loadUnconfirmed(dir)
	if err != nil {
		return nil, err
	}
	st.Unconfirmed = u.public()
	tables, err := w.foreignTables(ctx, x.Desired)
	if err != nil {
		return nil, err
	}
	for _, o := range append(withoutTables(p.Other), tables...) {
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
// has. What is left of an interrupted Up or Down without a record is taken away. A change that was to be confirmed, and
// neither was nor was undone in time, is undone first; one that still has time goes on waiting.
func (w *Warren) Repair(ctx context.Context, name string, o UpOptions) (*UpReport, error) {
	undone, err := w.undoOverdue(ctx, name)
	if err != nil {
		return &UpReport{Lab: name}, err
	}
	x, err := w.recorded(name)
	if err != nil && undone {
		return &UpReport{Lab: name}, fmt.Errorf("lab %q is down again: nobody confirmed it in time, and its watchdog was gone", name)
	}
	if err != nil {
		return &UpReport{Lab: name}, err
	}
	o.repairs, o.Confirm = true, 0
	report, err := w.Up(ctx, x.Source, o)
	if undone {
		report.Notes = append(report.Notes, "the last change is undone: nobody confirmed it in time, and its watchdog was gone")
	}
	return report, err
}

// undoOverdue is overdue for a lab that is not locked yet.
func (w *Warren) undoOverdue(ctx context.Context, name string) (bool, error) {
	if _, err := w.recorded(name); err != nil {
		return false, err
	}
	lock, err := w.lock(ctx, name, false)
	if err != nil {
		return false, err
	}
	defer lock.Unlock()
	return w.overdue(ctx, lock)
}
