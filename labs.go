package warren

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"warren/netns"
	"warren/state"
)

// Labs lists the labs that there is something of: a directory, or marked namespaces. Sorted by name.
func (w *Warren) Labs(ctx context.Context) ([]LabInfo, error) {
	names, err := w.runDir().Labs()
	if err != nil {
		return nil, err
	}
	labs := map[string]*LabInfo{}
	for _, n := range names {
		labs[n] = &LabInfo{Name: n, State: "partial"}
	}
	entries, err := netns.List("")
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, e := range entries {
		if !e.Stale {
			keys = append(keys, e.Name)
		}
	}
	snap, err := w.kernel.Observe(ctx, state.Query{Names: keys})
	if err != nil {
		return nil, err
	}
	for _, n := range snap.Namespaces {
		if n.Mark.IsZero() {
			continue
		}
		if labs[n.Mark.Lab] == nil {
			labs[n.Mark.Lab] = &LabInfo{Name: n.Mark.Lab, State: "partial"}
		}
		labs[n.Mark.Lab].Nodes++
	}
	var errs []error
	var out []LabInfo
	for _, name := range slices.Sorted(maps.Keys(labs)) {
		info := labs[name]
		errs = append(errs, w.completeInfo(info))
		out = append(out, *info)
	}
	return out, errors.Join(errs...)
}

// completeInfo adds what the lab's directory knows. A lab counts as up when every node that it was brought up with is
// there; whether they are as they should be is Status's question.
func (w *Warren) completeInfo(info *LabInfo) error {
	x, err := w.former(info.Name)
	if err != nil || x == nil {
		return err
	}
	owned := 0
	for _, n := range x.Nodes {
		if n.Owned {
			owned++
		}
	}
	if info.Nodes >= owned {
		info.State = "up"
	}
	dir, err := w.runDir().Dir(info.Name)
	if err != nil {
		return err
	}
	if src, err := dir.LoadSource(); err == nil {
		info.File = src.Path
	}
	if fi, err := os.Stat(dir.Path()); err == nil {
		info.Since = fi.ModTime().Truncate(time.Second)
	}
	return nil
}
