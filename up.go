package warren

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"warren/internal/kernel"
	"warren/internal/lab"
	"warren/netns"
	"warren/plan"
	"warren/state"
	"warren/topo"
)

// Up makes the lab so: what is missing is made, what differs is changed, what is no longer declared goes. It validates
// everything first, carries out the steps, reads the kernel again and compares, starts the services and runs the checks.
// When a step fails, what this call did is undone in reverse, and the report says what could not be. A second Up of the
// same lab carries out nothing.
//
// The report is never nil. The error is nil only when the lab is up, its services are ready and its checks hold; failing
// checks are a [CheckError], and the lab stays up.
func (w *Warren) Up(ctx context.Context, l *topo.Lab, o UpOptions) (*UpReport, error) {
	report := &UpReport{Lab: l.Name}
	start := time.Now()
	defer func() { report.Took = time.Since(start) }()
	if err := w.kernel.Preflight(0); err != nil {
		return report, permission(err)
	}
	lock, err := w.lock(ctx, l.Name, true)
	if err != nil {
		return report, err
	}
	defer lock.Unlock()
	w.point("locked")
	before, err := w.arm(lock.Dir(), o)
	if err != nil {
		return report, w.giveUp(lock, err)
	}
	x, err := w.build(ctx, l, o, lock, report)
	if err != nil {
		return report, w.giveUp(lock, errors.Join(err, w.standDown(lock.Dir(), before, o, report)))
	}
	w.point("built")
	notes, err := w.foreignDrops(ctx, x)
	if err != nil {
		return report, err
	}
	report.Notes = append(report.Notes, notes...)
	if !o.NoServices {
		report.Services, err = w.startServices(ctx, lock.Dir(), x)
	}
	if err = errors.Join(err, w.settle(ctx, lock.Dir(), before, o, report)); err != nil {
		return report, err
	}
	lock.Unlock() // checks change nothing and may take their time
	if o.NoChecks || len(x.Checks) == 0 {
		return report, nil
	}
	report.Checks, err = w.check(ctx, x, CheckOptions{})
	return report, err
}

// build makes the lab's network. It holds the host lock while it changes the host.
func (w *Warren) build(ctx context.Context, l *topo.Lab, o UpOptions, lock *lab.Lock, report *UpReport) (*topo.Expanded, error) {
	dir := lock.Dir()
	former, err := w.former(l.Name)
	if err != nil {
		return nil, err
	}
	if touchesHost(l, former) {
		host, err := w.lockHost(ctx, l.Name)
		if err != nil {
			return nil, err
		}
		defer host.Unlock()
	}
	if former != nil && former.Source.Edited && !l.Edited {
		report.Notes = append(report.Notes, fmt.Sprintf("lab %q had been changed by single commands (add, rm, connect, publish) since it was brought up: it is as the lab file says again", l.Name))
	}
	way, wayErr := w.openWay(ctx, l)
	if err := w.recover(ctx, dir); err != nil {
		return nil, err
	}
	p, err := w.makeSo(ctx, l, former, dir, o, report, false)
	if errors.Is(err, syscall.ENODEV) && report.Steps == report.Undone {
		// A link went while it was counted on: somebody took a namespace away, and the kernel was still at it. All is as it
		// was; when the kernel is done the plan is another.
		if gone := netns.WaitGone(ctx); gone != nil {
			return nil, errors.Join(err, gone)
		}
		report.Steps, report.Undone = 0, 0
		p, err = w.makeSo(ctx, l, former, dir, o, report, true)
	}
	if err != nil {
		return nil, err
	}
	report.Notes = append(report.Notes, notesOn(l, former)...)
	w.point("applied")
	if report.Steps > 0 && w.private() {
		report.Notes = append(report.Notes, wayNote(p.want, way, wayErr)...)
	}
	if p.record == nil && !p.want.Same(former) { // to write down what is written already takes longer than to see that it is
		p.record = startRecord(p.want)
	}
	if p.record != nil {
		err = p.record.save(dir)
	}
	err = errors.Join(err, dir.SaveSource(lab.Source{Path: p.want.Source.File}), dir.SaveText(p.want.Source.Text()), writeNames(dir, p.want, p.have.Namespace(state.HostNS), way))
	if err != nil {
		return nil, err
	}
	w.point("recorded")
	return p.want, errors.Join(dir.DropJournal(), dir.EndChange())
}

// makeSo reads, plans and carries out.
func (w *Warren) makeSo(ctx context.Context, l *topo.Lab, former *topo.Expanded, dir lab.Dir, o UpOptions, report *UpReport, all bool) (*prepared, error) {
	w.event(Event{Lab: l.Name, Phase: "observe"})
	p, err := w.prepare(ctx, l, former, all || o.Prune)
	if err != nil {
		return nil, err
	}
	report.Nodes = len(p.want.Nodes)
	if p.want.Source.File != "" {
		// The record is read from other folders too.
		if p.want.Source.File, err = filepath.Abs(l.File); err != nil {
			return nil, err
		}
	}
	if o.Prune {
		tables, err := w.foreignTables(ctx, p.want.Desired)
		if err != nil {
			return nil, err
		}
		p.plan.Other = append(withoutTables(p.plan.Other), tables...)
		report.Pruned, report.Notes = prune(&p.plan)
	}
	if err := w.preflight(ctx, p); err != nil {
		return nil, err
	}
	if len(p.plan.Steps) > 0 {
		p.record = startRecord(p.want) // while the kernel works
	}
	return p, w.change(ctx, p, dir, o, report)
}

// giveUp ends an Up that failed. A lab of which nothing is there leaves no directory.
func (w *Warren) giveUp(lock *lab.Lock, err error) error {
	name := lock.Dir().Lab()
	have, observed := w.kernel.Observe(context.Background(), state.Query{Lab: name})
	if observed != nil || slices.ContainsFunc(have.Namespaces, func(n state.Namespace) bool { return n.Mark.Lab == name }) {
		return err
	}
	if j, jerr := lock.Dir().ReadJournal(); jerr != nil || !j.Empty() {
		return err
	}
	err = errors.Join(err, lock.Remove())
	return errors.Join(err, w.tidy(context.Background(), name))
}

// preflight finds out before the first change whether the lab can be made.
func (w *Warren) preflight(ctx context.Context, p *prepared) error {
	namespaces := 0
	for _, s := range p.plan.Steps {
		if s.Verb() == plan.Create && s.After.Namespace != nil {
			namespaces++
		}
	}
	if err := w.kernel.Preflight(namespaces); err != nil {
		return fmt.Errorf("lab %q: %w", p.want.Lab, permission(err))
	}
	if len(p.plan.Steps) == 0 {
		return nil
	}
	if err := w.kernel.Probe(ctx, kernel.Needs(p.want.Desired)); err != nil {
		return fmt.Errorf("lab %q: %w", p.want.Lab, err)
	}
	return errors.Join(bindProbes(p), w.probeOutside(ctx, p))
}

// change carries out the plan and reads the kernel back. On an error it undoes what it did.
func (w *Warren) change(ctx context.Context, p *prepared, dir lab.Dir, o UpOptions, report *UpReport) error {
	steps, sysctls := p.split()
	if err := dir.WriteJournal(onHost(steps)); err != nil {
		return err
	}
	if len(p.plan.Steps) > 0 {
		if err := dir.BeginChange(); err != nil {
			return err
		}
	}
	w.point("journal")
	ledger := w.ledger()
	if len(sysctls) > 0 {
		if err := ledger.Acquire(p.want.Lab, sysctls); err != nil {
			_, undo := ledger.Release(p.want.Lab)
			return errors.Join(err, undo)
		}
		w.point("ledger")
	}
	start := time.Now()
	done := w.kernel.Apply(ctx, steps, w.hooks(ctx, p.want.Lab, len(steps)))
	report.Apply = time.Since(start)
	err := done.Err
	if err == nil && !o.NoVerify && len(p.plan.Steps) > 0 {
		w.point("verify")
		err = w.verify(ctx, p)
	}
	if err != nil {
		return errors.Join(err, w.undo(p, steps, done, report))
	}
	report.Steps = len(p.plan.Steps)
	return w.releaseUnwanted(ledger, p.want.Lab, sysctls)
}

func (w *Warren) hooks(ctx context.Context, name string, total int) plan.Hooks {
	return plan.Hooks{
		Before: func(i int, s plan.Step) error {
			w.point("step")
			if w.opt.BeforeStep != nil {
				if err := w.opt.BeforeStep(i, s); err != nil {
					return err
				}
			}
			return ctx.Err()
		},
		After: func(i int, _ plan.Step) {
			w.event(Event{Lab: name, Phase: "apply", Done: i + 1, Total: total})
		},
	}
}

// undo takes back what was done, newest first, and says in the report what it could not. It does not end with ctx: half a
// lab is worse than a late answer to an interrupt.
func (w *Warren) undo(p *prepared, steps []plan.Step, done plan.Report, report *UpReport) error {
	w.event(Event{Lab: p.want.Lab, Phase: "undo"})
	w.point("undo")
	var errs []error
	for rest := plan.Undo(steps, done); len(rest) > 0; {
		r := w.kernel.Apply(context.Background(), rest, plan.Hooks{Before: func(int, plan.Step) error {
			w.point("undo step")
			return nil
		}})
		for i, s := range rest {
			if r.Status[i] == plan.Failed {
				report.NotUndone = append(report.NotUndone, s.String())
			}
		}
		if r.Err == nil {
			break
		}
		errs = append(errs, fmt.Errorf("undo: %w", r.Err))
		rest = notTried(rest, r)
	}
	for _, st := range done.Status {
		if st == plan.Done {
			report.Steps++
		}
	}
	if len(errs) == 0 {
		report.Undone = report.Steps
	}
	if p.former == nil {
		if _, err := w.ledger().Release(p.want.Lab); err != nil {
			errs = append(errs, fmt.Errorf("undo: %w", err))
		}
	}
	return errors.Join(errs...)
}

// notTried are the steps that a failure kept from being tried. A failed report that tried nothing ends the undoing.
func notTried(steps []plan.Step, r plan.Report) []plan.Step {
	var rest []plan.Step
	for i, s := range steps {
		if r.Status[i] == plan.NotTried {
			rest = append(rest, s)
		}
	}
	if len(rest) == len(steps) {
		return nil
	}
	return rest
}

// permission makes an EPERM of the kernel's a warren.ErrNotPermitted.
func permission(err error) error {
	if errors.Is(err, errPermission) {
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	}
	return err
}
