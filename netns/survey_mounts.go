package netns

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"warren/state"
)

// A mountLine is a network namespace's line of mountinfo.
type mountLine struct {
	path  string
	inode uint64
	// shared and master are the peer groups of the mount; 0 = none. (mount_namespaces(7))
	shared, master uint64
}

// mounts looks at the mounts of a process (a directory of /proc). pid is 0 for our own mount namespace.
//
// A mount namespace begins as a copy, names of namespaces included. A copy that is in the same peer group as, or a slave
// of, a mount that was seen already goes away with it, so it keeps nothing alive by itself and is left out.
func (s *survey) mounts(process string, pid int) {
	if ino, ok := linkInode("/proc/"+process+"/ns/mnt", "mnt:["); ok {
		s.mountNS[ino] = true
	}
	b, err := os.ReadFile("/proc/" + process + "/mountinfo")
	if err != nil {
		s.miss("/proc/"+process+"/mountinfo", cause(err))
		return
	}
	lines := parseMountLines(b)
	root := ""
	if pid != 0 {
		root = "/proc/" + process + "/root"
	}
	for _, m := range lines {
		if pid != 0 && (s.groups[m.shared] || s.groups[m.master]) {
			continue
		}
		f := s.at(m.inode, root+m.path)
		if f == nil {
			continue
		}
		if f.Handle != nil && f.Handle.inode != m.inode {
			continue // another mount lies over it
		}
		if pid == 0 {
			f.Paths = append(f.Paths, m.path)
		}
		if s.opt.Holders {
			h := state.Holder{Kind: "mount", PID: pid, Path: m.path}
			if pid != 0 {
				h.Command = comm(pid)
			}
			f.Holders = append(f.Holders, h)
		}
	}
	for _, m := range lines {
		if m.shared != 0 {
			s.groups[m.shared] = true
		}
	}
}

// parseMountLines reads the lines about network namespaces of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
func parseMountLines(b []byte) []mountLine {
	var list []mountLine
	for line := range bytes.Lines(b) {
		if !bytes.Contains(line, []byte(" net:[")) {
			continue
		}
		f := strings.Fields(string(line))
		if len(f) < 7 {
			continue
		}
		ino, ok := parseInode(f[3], "net:[")
		if !ok {
			continue
		}
		m := mountLine{path: unescape(f[4]), inode: ino}
		for _, opt := range f[6:] {
			if opt == "-" {
				break
			}
			if v, ok := strings.CutPrefix(opt, "shared:"); ok {
				m.shared, _ = strconv.ParseUint(v, 10, 64)
			} else if v, ok := strings.CutPrefix(opt, "master:"); ok {
				m.master, _ = strconv.ParseUint(v, 10, 64)
			}
		}
		list = append(list, m)
	}
	return list
}
