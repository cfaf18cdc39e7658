package warren

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"warren/internal/lab"
	"warren/netns"
	"warren/state"
	"warren/topo"
)

// ErrExist is returned when what is to be added is there already, and belongs to whom the error names.
var ErrExist = errors.New("is there already")

// EditOptions say which lab is edited, and how long to wait for it.
type EditOptions struct {
	// Lab is the lab's name; "" = the lab "default", which the first edit makes and the last removal takes away.
	Lab string
	// Wait is how long to wait for others who are changing the lab; 0 = two minutes, negative = not at all.
	Wait time.Duration
}

func (o EditOptions) lab() string { return cmp.Or(o.Lab, topo.DefaultLab) }

// EditReport tells what an edit did.
type EditReport struct {
	Lab   string `json:"lab"`
	Steps int    `json:"steps"` // carried out
	// Nodes are those that were added or changed, as they are now.
	Nodes []NodeStatus `json:"nodes,omitempty"`
	// Nets are those that were made or joined.
	Nets      []string `json:"nets,omitempty"`
	Removed   []string `json:"removed,omitempty"` // nodes
	Published []Port   `json:"published,omitempty"`
	// Unpublished are the ports that were taken back.
	Unpublished []Port `json:"unpublished,omitempty"`
	// Dropped are checks that spoke of a node that was removed.
	Dropped []string `json:"dropped,omitempty"`
	// Down says that the lab went with its last node.
	Down  bool          `json:"down,omitempty"`
	Notes []string      `json:"notes,omitempty"`
	Took  time.Duration `json:"took_ns"`
}

// A Port is a published port or range.
type Port struct {
	Node string `json:"node"`
	Port string `json:"port"` // as in a lab file: "127.0.0.1:8080:80/tcp"
}

// An edit is one change of a lab, under its lock. x is the lab as it was last brought up, nil when there was none.
type edit struct {
	EditOptions
	// create makes the lab "default" when it is not there.
	create bool
	// cleanup: it removes what a run made, whatever else goes on.
	cleanup bool
	// change does it; report is for what it did.
	change func(e *topo.Editor, x *topo.Expanded, report *EditReport) error
	// touched are the nodes to report on; called when the edit stands.
	touched func() []string
	// before is called when the change is known to be possible, before anything is changed; done when all of it is; both
	// under the lock, and either may be nil.
	before func(dir lab.Dir) error
	done   func()
}

// apply carries an edit out: the lab's file is changed and the kernel made to match, under one lock. When that fails both are
// as before.
func (w *Warren) apply(ctx context.Context, ed edit) (report *EditReport, err error) {
	name := ed.lab()
	report = &EditReport{Lab: name}
	start := time.Now()
	defer func() {
		report.Took = time.Since(start)
		err = oneLiner(err)
	}()
	if err := state.CheckLabName(name); err != nil {
		return report, fmt.Errorf("lab: %w", err)
	}
	if err := w.kernel.Preflight(0); err != nil {
		return report, permission(err)
	}
	lock, err := w.lockToEdit(ctx, ed)
	if err != nil {
		return report, err
	}
	defer lock.Unlock()
	w.point("locked")
	err = w.applyLocked(ctx, ed, lock, report)
	if err != nil && ed.create {
		err = w.giveUp(lock, err) // of a lab that there is nothing of nothing is left
	}
	return report, err
}

func (w *Warren) applyLocked(ctx context.Context, ed edit, lock *lab.Lock, report *EditReport) error {
	dir := lock.Dir()
	former, err := w.former(dir.Lab())
	if err != nil {
		return err
	}
	if u, err := loadUnconfirmed(dir); err != nil || u.waits() && !ed.cleanup {
		return cmp.Or(err, fmt.Errorf("lab %q: its last change waits to be confirmed, and this one would be undone with it (hint: warren confirm %s)", dir.Lab(), dir.Lab()))
	}
	e, err := w.editor(ctx, dir, former, ed)
	if err != nil {
		return err
	}
	dead, err := dropAbandoned(dir, e)
	if err != nil {
		return err
	}
	if err := ed.change(e, former, report); err != nil {
		return err
	}
	report.Dropped = e.Dropped
	if len(e.Nodes()) == 0 {
		report.Down = true
		return w.takeAway(ctx, lock, report)
	}
	l, err := e.Lab()
	if err != nil {
		return err
	}
	if !e.Changed() && !dir.Changing() { // and nothing is half-done
		dir.DropClaims(dead)
		return nil
	}
	if ed.before != nil {
		if err := ed.before(dir); err != nil {
			return err
		}
	}
	gone := goneNodes(former, e)
	if err := w.emptyNodes(ctx, dir, former, gone); err != nil {
		return err
	}
	unfinished := dir.Changing()
	up := &UpReport{Lab: l.Name}
	x, err := w.build(ctx, l, UpOptions{}, lock, up)
	if err != nil {
		if !unfinished && up.Steps == up.Undone && len(up.NotUndone) == 0 { // all is as it was
			err = errors.Join(err, dir.DropJournal(), dir.EndChange())
		}
		return err
	}
	report.Steps = up.Steps
	w.point("built")
	dir.DropClaims(dead)
	for _, n := range gone {
		dir.DropClaims([]string{n.Name})
	}
	if ed.done != nil {
		ed.done()
	}
	if former == nil {
		if report.Notes, err = w.foreignDrops(ctx, x); err != nil {
			return err
		}
		if w.private() {
			report.Notes = append(report.Notes, up.Notes...)
		}
	}
	if ed.touched != nil {
		report.Nodes = nodesOf(x, ed.touched())
	}
	_, err = w.startServices(ctx, dir, x)
	return err
}

func noLab(name string) error {
	hint := "warren labs lists those that are up"
	if name == topo.DefaultLab {
		hint = "warren add makes its first node"
	}
	return fmt.Errorf("lab %q: %w (hint: %s)", name, ErrNotExist, hint)
}

// editor begins to edit the lab's kept file.
func (w *Warren) editor(ctx context.Context, dir lab.Dir, former *topo.Expanded, ed edit) (*topo.Editor, error) {
	if former == nil {
		if dir.Lab() != topo.DefaultLab {
			return nil, noLab(dir.Lab())
		}
		if !ed.create { // the edit that was to make it was killed
			return topo.Edit(topo.NewDefault(netip.Prefix{}))
		}
		cidr, err := w.freePrefix(ctx)
		if err != nil {
			return nil, err
		}
		return topo.Edit(topo.NewDefault(cidr))
	}
	text, err := dir.LoadText()
	if err != nil {
		return nil, err
	}
	return topo.Edit(former.Source.WithText(text))
}

// dropAbandoned removes the nodes of runs whose processes were killed.
func dropAbandoned(dir lab.Dir, e *topo.Editor) ([]string, error) {
	dead, err := dir.Abandoned()
	if err != nil {
		return nil, err
	}
	for _, n := range dead {
		if e.HasNode(n) {
			if err := e.RemoveNode(n); err != nil {
				return nil, err
			}
		}
	}
	return dead, nil
}

// takeAway is what is left of an edit after which the lab has no node: all of it goes.
func (w *Warren) takeAway(ctx context.Context, lock *lab.Lock, report *EditReport) error {
	name := lock.Dir().Lab()
	down := &DownReport{Lab: name}
	err := w.destroy(ctx, lock.Dir(), DownOptions{}, down)
	report.Steps = down.Steps
	if err != nil {
		return err
	}
	w.point("destroyed")
	if err := lock.Remove(); err != nil {
		return err
	}
	return w.tidy(ctx, name)
}

// goneNodes are the nodes that an edit takes away.
func goneNodes(former *topo.Expanded, e *topo.Editor) []topo.NodeInfo {
	var gone []topo.NodeInfo
	if former != nil {
		for _, n := range former.Nodes {
			if !e.HasNode(n.Name) {
				gone = append(gone, n)
			}
		}
	}
	return gone
}

// emptyNodes ends what runs in nodes that are about to go: their services, and whatever else is in there.
func (w *Warren) emptyNodes(ctx context.Context, dir lab.Dir, former *topo.Expanded, gone []topo.NodeInfo) error {
	var handles []*netns.Handle
	defer func() {
		for _, h := range handles {
			_ = h.Close()
		}
	}()
	var services []string
	for _, n := range gone {
		for _, s := range former.Services {
			if s.Node == n.Name {
				services = append(services, s.Key)
			}
		}
		if !n.Owned {
			continue
		}
		h, err := w.kernel.Open(ctx, n.NS)
		if errors.Is(err, netns.ErrNotExist) || errors.Is(err, netns.ErrNotNamespace) {
			continue
		}
		if err != nil {
			return err
		}
		handles = append(handles, h)
	}
	if err := dir.StopServices(ctx, services, lab.ApplyOptions{}); err != nil {
		return err
	}
	_, err := lab.KillIn(ctx, handles, lab.KillOptions{})
	return err
}

// nodesOf are nodes as they were just made.
func nodesOf(x *topo.Expanded, names []string) []NodeStatus {
	var out []NodeStatus
	for _, name := range names {
		n := x.Node(name)
		if n == nil {
			continue
		}
		st := NodeStatus{Name: name, NS: n.NS, Exists: true}
		for _, a := range n.Addrs {
			st.Addrs = append(st.Addrs, a.Link+" "+a.Prefix.String())
		}
		out = append(out, st)
	}
	return out
}

// Recorded is a lab as it was last brought up, single edits included. ErrNotExist when there is nothing of it.
func (w *Warren) Recorded(name string) (*topo.Expanded, error) { return w.recorded(name) }

// known are the prefixes that a net of the lab has now.
func known(x *topo.Expanded, net string) []netip.Prefix {
	if x == nil {
		return nil
	}
	if n := netOf(x, net); n != nil {
		return slices.Clone(n.Prefixes)
	}
	return nil
}

// editError is an error of the lab's language in the facade's words: it keeps its text, and answers to the facade's sentinels.
type editError struct {
	err, is error
}

func (e *editError) Error() string   { return e.err.Error() }
func (e *editError) Unwrap() []error { return []error{e.err, e.is} }

func oneLiner(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, topo.ErrExist):
		return &editError{err, ErrExist}
	case errors.Is(err, topo.ErrNotExist):
		return &editError{err, ErrNotExist}
	}
	return err
}
