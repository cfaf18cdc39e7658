package warren

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"warren/internal/lab"
	"warren/plan"
	"warren/state"
)

// Down takes a lab away: its services, every other process in its namespaces (entered shells too), the namespaces with
// all that is in them, what it has on the host, its files. It waits until the kernel has done it, so that the same lab can
// be made at once. Down of a lab that is not there is no error; the report says so. It goes on after errors and returns
// all of them; what is left is found by the next Down.
func (w *Warren) Down(ctx context.Context, name string, o DownOptions) (*DownReport, error) {
	report := &DownReport{Lab: name}
	start := time.Now()
	defer func() { report.Took = time.Since(start) }()
	if err := state.CheckLabName(name); err != nil {
		return report, fmt.Errorf("lab: %w", err)
	}
	if err := w.kernel.Preflight(0); err != nil {
		return report, permission(err)
	}
	dir, err := w.runDir().Dir(name)
	if err != nil {
		return report, err
	}
	known := dir.Exists()
	lock, err := w.lock(ctx, name, true)
	if err != nil {
		return report, err
	}
	defer lock.Unlock()
	w.point("locked")
	if err := disarm(ctx, lock.Dir()); err != nil {
		return report, err
	}
	err = w.destroy(ctx, lock.Dir(), o, report)
	report.Existed = known && report.Steps > 0 || report.Steps > 0
	if err != nil {
		return report, err
	}
	w.point("destroyed")
	if err := lock.Remove(); err != nil {
		return report, err
	}
	w.point("removed")
	return report, w.tidy(ctx, name)
}

// destroy ends the lab's processes and removes its objects. The directory is left to the caller.
func (w *Warren) destroy(ctx context.Context, dir lab.Dir, o DownOptions, report *DownReport) error {
	name := dir.Lab()
	if err := w.recover(ctx, dir); err != nil {
		return err
	}
	w.event(Event{Lab: name, Phase: "stop"})
	var errs []error
	ended, err := w.stopServices(ctx, dir, o)
	report.Processes += ended
	errs = append(errs, err)
	w.point("services stopped")

	host, err := w.lockHost(ctx, name)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	defer host.Unlock()
	have, err := w.kernel.Observe(ctx, state.Query{Lab: name})
	if err != nil {
		return errors.Join(append(errs, fmt.Errorf("lab %q: observe: %w", name, err))...)
	}
	killed, err := w.endProcesses(ctx, have, o)
	report.Processes += killed
	errs = append(errs, err)
	w.point("processes ended")

	mine, err := w.hostObjects(ctx, dir)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	// The ends of cables in the host's namespace go with the namespaces that have the other end, in one batch of the
	// kernel's; only what is there after that is removed one by one.
	have.Namespaces = append(have.Namespaces, mine)
	steps := slices.DeleteFunc(plan.Destroy(name, have).Steps, hostVeth)
	if err := dir.WriteJournal(onHost(steps)); err != nil {
		errs = append(errs, err)
	}
	w.point("journal")
	w.event(Event{Lab: name, Phase: "destroy", Total: len(steps)})
	done, err := w.applyAll(ctx, name, steps)
	report.Steps = done
	errs = append(errs, err)
	killed, err = w.endLatecomers(ctx, have, o)
	report.Processes += killed
	errs = append(errs, err)
	w.point("objects gone")
	if mine, err = w.hostObjects(ctx, dir); err != nil {
		return errors.Join(append(errs, err)...)
	}
	done, err = w.applyAll(ctx, name, plan.Destroy(name, state.Snapshot{Namespaces: []state.Namespace{mine}}).Steps)
	report.Steps += done
	errs = append(errs, err)
	if _, err := w.kernel.Sweep(ctx, name); err != nil {
		errs = append(errs, err)
	}
	w.point("host clean")
	if _, err := w.ledger().Release(name); err != nil {
		errs = append(errs, err)
	}
	w.point("sysctls restored")
	return errors.Join(errs...)
}

// onHost are the steps that touch the host's namespace.
func onHost(steps []plan.Step) []plan.Step {
	return slices.DeleteFunc(slices.Clone(steps), func(s plan.Step) bool { return s.NS != state.HostNS })
}

func hostVeth(s plan.Step) bool {
	return s.NS == state.HostNS && s.Before.Link != nil && s.Before.Link.Kind == "veth" || s.NS == state.HostNS && s.Before.Cable != nil
}

// applyAll carries out steps and goes on after failures: teardown does as much as it can.
func (w *Warren) applyAll(ctx context.Context, name string, steps []plan.Step) (done int, err error) {
	var errs []error
	hooks := plan.Hooks{
		Before: func(int, plan.Step) error { w.point("destroy step"); return ctx.Err() },
		After: func(int, plan.Step) {
			done++
			w.event(Event{Lab: name, Phase: "destroy", Done: done, Total: len(steps)})
		},
	}
	for rest := steps; len(rest) > 0; {
		r := w.kernel.Apply(ctx, rest, hooks)
		if r.Err == nil {
			break
		}
		errs = append(errs, r.Err)
		rest = notTried(rest, r)
		if ctx.Err() != nil {
			break
		}
	}
	return done, errors.Join(errs...)
}

// hostObjects is what the lab has in the host's namespace. A link that was made and not marked before the process died
// has our group, and stands in the journal: it is given its mark here, so that it is known as ours.
func (w *Warren) hostObjects(ctx context.Context, dir lab.Dir) (state.Namespace, error) {
	snap, err := w.kernel.Observe(ctx, state.Query{Names: []string{state.HostNS}, Parts: state.PartsLab, Ours: true})
	if err != nil {
		return state.Namespace{}, fmt.Errorf("lab %q: observe the host: %w", dir.Lab(), err)
	}
	host := snap.Namespace(state.HostNS)
	if host == nil {
		return state.Namespace{Name: state.HostNS}, nil
	}
	journal, err := dir.ReadJournal()
	if err != nil {
		return state.Namespace{}, err
	}
	adopt(dir.Lab(), host, journal.Steps)
	return *host, nil
}

// adopt marks, in the snapshot, links of our group that an interrupted command of this lab was about to make.
func adopt(name string, host *state.Namespace, steps []plan.Step) {
	for _, s := range steps {
		var made *state.Link
		switch o := s.After; {
		case s.Verb() != plan.Create:
		case o.Cable != nil && o.Cable.A.NS == state.HostNS:
			made = &o.Cable.A.Link
		case o.Cable != nil && o.Cable.B.NS == state.HostNS:
			made = &o.Cable.B.Link
		case o.Link != nil && s.NS == state.HostNS:
			made = o.Link
		}
		if made == nil {
			continue
		}
		if l := host.Link(made.Name); l != nil && l.Group == state.LinkGroup && len(l.AltNames) == 0 {
			l.AltNames = []string{state.Mark{Lab: name, Node: "interrupted"}.AltName()}
		}
	}
}
