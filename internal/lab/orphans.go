package lab

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// endSupervisor kills a supervisor that does not answer. One that lives and merely was slow is killed too: there must not
// be two.
func (d Dir) endSupervisor(ctx context.Context, old saved) error {
	if !old.Supervisor.alive() {
		return nil
	}
	if err := signalProcess(old.Supervisor, unix.SIGKILL); err != nil {
		return fmt.Errorf("end supervisor of lab %s (PID %d): %w", d.lab, old.Supervisor.PID, err)
	}
	return waitProcesses(ctx, []process{old.Supervisor})
}

// endOrphans ends the services that a dead supervisor left behind: those that it wrote down, what is below them or in
// their sessions, and, when marks is set, every process on the machine that carries the mark of this lab's services.
func (d Dir) endOrphans(ctx context.Context, old saved, marks bool) error {
	find := func() []process {
		all := allProcesses()
		found := map[int]process{}
		for _, s := range old.Services {
			main := process{PID: s.PID, Start: s.Start}
			if s.PID <= 0 || !main.alive() {
				continue
			}
			for _, p := range all {
				if p.PID == s.PID || p.SID == s.PID {
					found[p.PID] = p.process()
				}
			}
			for _, p := range descendants(all, s.PID) {
				found[p.PID] = p.process()
			}
		}
		if marks {
			for _, p := range all {
				if hasMarkOf(p.PID, d.path) {
					found[p.PID] = p.process()
				}
			}
		}
		delete(found, os.Getpid())
		return slices.SortedFunc(maps.Values(found), func(a, b process) int { return a.PID - b.PID })
	}
	_, err := endAll(ctx, find, defaultStopTimeout)
	if err != nil {
		return fmt.Errorf("end services that a supervisor of lab %s left behind: %w", d.lab, err)
	}
	return nil
}

// killWait is how long the kernel may take to end what was killed.
const killWait = 10 * time.Second

// endAll ends what find finds, again and again until it finds nothing: SIGTERM at first sight, SIGKILL to what is there
// when the grace is over. It returns what it ended.
func endAll(ctx context.Context, find func() []process, grace time.Duration) ([]process, error) {
	kill := time.Now().Add(grace)
	giveUp := kill.Add(killWait)
	told := map[process]bool{}
	var ended []process
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		left := find()
		if len(left) == 0 {
			// A process leaves its namespace before it is dead.
			return ended, waitProcesses(ctx, ended)
		}
		now := time.Now()
		if now.After(giveUp) {
			return ended, fmt.Errorf("process %d does not end, though killed", left[0].PID)
		}
		for _, p := range left {
			sig := unix.SIGTERM
			if now.After(kill) {
				sig = unix.SIGKILL
			} else if told[p] {
				continue
			}
			if err := signalProcess(p, sig); err != nil {
				return ended, fmt.Errorf("end process %d (%s): %w", p.PID, commandLine(p.PID), err)
			}
			if !told[p] {
				told[p] = true
				ended = append(ended, p)
			}
		}
		select {
		case <-ctx.Done():
			return ended, ctx.Err()
		case <-time.After(pause):
		}
	}
}
