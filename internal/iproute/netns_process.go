package iproute

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// A place is a namespace as stat(2) tells it.
type place struct{ dev, ino uint64 }

func placeOf(path string) (place, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return place{}, err
	}
	return place{st.Dev, st.Ino}, nil
}

func netnsIdentify(s *session, w *words) {
	path := "/proc/self/ns/net"
	if w.more() {
		pid := w.take()
		if strings.Trim(pid, "0123456789") != "" {
			fail(exitFailed, "Specified string '%s' is not a pid", pid)
		}
		if w.more() {
			fail(exitFailed, "extra arguments specified")
		}
		path = "/proc/" + pid + "/ns/net"
	}
	mine, err := placeOf(path)
	if err != nil {
		fail(exitFailed, "Stat of netns failed: %s", errnoText(err))
	}
	var found []string
	for _, name := range namesInOrder() {
		if at, err := placeOf(netnsPath(name)); err == nil && at == mine {
			found = append(found, name)
		}
	}
	if s.personality == Warren {
		slices.Sort(found)
		if s.opt.json {
			p := s.out()
			for _, name := range found {
				p.item("", name)
			}
			return
		}
		for _, name := range found {
			fmt.Fprintln(s.stdio.Out, name)
		}
		return
	}
	// ip tells one of several names.
	last := ""
	if len(found) > 0 {
		last = found[len(found)-1]
	}
	fmt.Fprintln(s.stdio.Out, last)
}

func netnsPIDs(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "No netns name specified")
	}
	name := w.take()
	checkNetnsName(name)
	if w.more() {
		fail(exitFailed, "extra arguments specified")
	}
	if s.personality == Warren {
		s.allPIDs(name)
		return
	}
	at, err := placeOf(netnsPath(name))
	if err != nil {
		fail(exitFailed, "Cannot open network namespace: %s", errnoText(err))
	}
	proc, err := os.ReadDir("/proc")
	if err != nil {
		fail(exitFailed, "Open of /proc failed: %s", errnoText(err))
	}
	var pids []int
	for _, e := range proc {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids) // as /proc has them
	for _, pid := range pids {
		if p, err := placeOf("/proc/" + strconv.Itoa(pid) + "/ns/net"); err == nil && p == at {
			fmt.Fprintln(s.stdio.Out, pid)
		}
	}
}

// allPIDs tells of processes with only one thread inside too.
func (s *session) allPIDs(name string) {
	h, err := netns.Open(s.ctx, name)
	if err != nil {
		fail(exitFailed, "%v", err)
	}
	defer h.Close()
	found, err := netns.Processes(s.ctx, []*netns.Handle{h})
	if err != nil {
		fail(exitFailed, "%v", err)
	}
	p := s.out()
	for _, proc := range found[0] {
		p.openObject("")
		num(p, "pid", "%d\n", proc.PID)
		p.str("command", "", proc.Command)
		p.closeObject()
	}
}
