package warren

import (
	"context"
	"errors"
	"fmt"

	"warren/internal/lab"
	"warren/topo"
)

func (w *Warren) runDir() lab.RunDir { return lab.RunDir{Path: w.opt.RunDir} }

// lock locks a lab, and says whom it waits for.
func (w *Warren) lock(ctx context.Context, name string, create bool) (*lab.Lock, error) {
	l, err := w.runDir().Lock(ctx, name, lab.LockOptions{Create: create, NoWait: w.opt.NoWait, Waiting: func(h lab.Holder) {
		w.event(Event{Lab: name, Phase: "lock", Text: fmt.Sprintf("lab %s is locked by %s, waiting", name, h)})
	}})
	if errors.Is(err, lab.ErrLocked) {
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return l, err
}

// lockHost locks what labs share: the host's namespace and the ledger of its sysctls.
func (w *Warren) lockHost(ctx context.Context, name string) (*lab.Lock, error) {
	return w.runDir().LockHost(ctx, lab.LockOptions{Waiting: func(h lab.Holder) {
		w.event(Event{Lab: name, Phase: "lock", Text: fmt.Sprintf("the host side is locked by %s, waiting", h)})
	}})
}

// touchesHost reports whether a lab, as declared or as it was, has anything outside of its own namespaces.
func touchesHost(l *topo.Lab, former *topo.Expanded) bool {
	if former != nil && len(former.Uplinks) > 0 {
		return true
	}
	for _, n := range l.Nets {
		if n.Uplink != nil {
			return true
		}
	}
	return false
}

// foreignNames are the namespaces that the lab uses and does not own.
func foreignNames(l *topo.Lab) []string {
	var out []string
	for _, n := range l.Nodes {
		if n.Netns != "" {
			out = append(out, n.Netns)
		}
	}
	return out
}
