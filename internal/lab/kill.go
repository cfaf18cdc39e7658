package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"warren/netns"
	"warren/state"
)

// KillOptions of KillIn. The zero value works.
type KillOptions struct {
	// Grace is how long a process has between SIGTERM and SIGKILL; 0 = 2 s, negative = none.
	Grace time.Duration
}

// A KillReport says what became of the processes in some namespaces.
type KillReport struct {
	Ended []state.Process
	// Spared are this process and those that it descends from: they are inside, and are left alone.
	Spared []state.Process
}

// ErrInside is returned when the caller itself, or a process that it descends from, is in a namespace that is to be emptied.
var ErrInside = errors.New("the calling process is inside (hint: leave the shell that was entered, and call again from outside)")

// KillIn ends every process that is in one of the namespaces, with one of its threads at least, shells that were entered
// included, and waits until they are gone: SIGTERM, and after the grace SIGKILL. When the caller or one that it descends
// from is inside, those are spared and the error Is ErrInside; the others are ended all the same.
func KillIn(ctx context.Context, handles []*netns.Handle, o KillOptions) (KillReport, error) {
	if len(handles) == 0 {
		return KillReport{}, nil
	}
	grace := o.Grace
	switch {
	case grace == 0:
		grace = 2 * time.Second
	case grace < 0:
		grace = -time.Millisecond
	}
	ours := ancestors()
	var report KillReport
	known := map[int]state.Process{}
	var walkErr error
	find := func() []process {
		lists, err := netns.Processes(ctx, handles)
		if err != nil {
			walkErr = err
			return nil
		}
		report.Spared = nil
		found := map[int]process{}
		for _, list := range lists {
			for _, p := range list {
				st, ok := readStat(p.PID)
				switch {
				case !ok || st.State == 'Z' || st.State == 'X': // a zombie is in no namespace any more
				case slices.Contains(ours, p.PID):
					if !slices.ContainsFunc(report.Spared, func(q state.Process) bool { return q.PID == p.PID }) {
						report.Spared = append(report.Spared, p)
					}
				default:
					found[p.PID] = st.process()
					known[p.PID] = p
				}
			}
		}
		return slices.SortedFunc(maps.Values(found), func(a, b process) int { return a.PID - b.PID })
	}
	ended, err := endAll(ctx, find, grace)
	for _, p := range ended {
		report.Ended = append(report.Ended, known[p.PID])
	}
	if err = errors.Join(err, walkErr); err != nil {
		return report, fmt.Errorf("end processes in namespaces: %w", err)
	}
	if len(report.Spared) > 0 {
		var who []string
		for _, p := range report.Spared {
			who = append(who, fmt.Sprintf("%d (%s)", p.PID, p.Command))
		}
		return report, fmt.Errorf("end processes in namespaces: %s: %w", strings.Join(who, ", "), ErrInside)
	}
	return report, nil
}

// ancestors is this process and those above it.
func ancestors() []int {
	var out []int
	for pid := os.Getpid(); pid > 0 && !slices.Contains(out, pid); {
		out = append(out, pid)
		st, ok := readStat(pid)
		if !ok {
			break
		}
		pid = st.PPID
	}
	return out
}
