package lab

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// descendants returns the live processes below root, in the order of their PIDs.
func descendants(all []procStat, root int) []procStat {
	children := map[int][]procStat{}
	for _, p := range all {
		children[p.PPID] = append(children[p.PPID], p)
	}
	var out []procStat
	seen := map[int]bool{root: true}
	queue := []int{root}
	for len(queue) > 0 {
		for _, c := range children[queue[0]] {
			if !seen[c.PID] {
				seen[c.PID] = true
				out = append(out, c)
				queue = append(queue, c.PID)
			}
		}
		queue = queue[1:]
	}
	slices.SortFunc(out, func(a, b procStat) int { return a.PID - b.PID })
	return out
}

// ofService picks a service's processes out of candidates: what is in the session or the group of its first process or
// below that process, and what carries its mark, which programs hand on to their children unless they mean not to.
func ofService(candidates []procStat, main int, mark string) []procStat {
	below := map[int]bool{}
	if main > 0 {
		for _, p := range descendants(candidates, main) {
			below[p.PID] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(p procStat) bool {
		if main > 0 && (p.PID == main || p.SID == main || p.PGID == main || below[p.PID]) {
			return false
		}
		return !hasEnviron(p.PID, serviceEnv+"="+mark)
	})
}

// signalProcess signals that very process and no other that got its number since. A process that has ended is no error.
func signalProcess(p process, s unix.Signal) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		return err
	}
	defer unix.Close(fd)
	// The descriptor is bound to one process; now see whether it is the right one.
	if st, ok := readStat(p.PID); !ok || st.Start != p.Start {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, s, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

func (p procStat) process() process { return process{PID: p.PID, Start: p.Start} }

// hasMarkOf reports whether a process carries the mark of any service of a lab.
func hasMarkOf(pid int, labDir string) bool {
	for _, e := range environ(pid) {
		if strings.HasPrefix(e, serviceEnv+"="+labDir+":") {
			return true
		}
	}
	return false
}
