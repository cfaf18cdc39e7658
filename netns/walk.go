package netns

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// each opens every namespace that has a name below Dir, a mount, or a process (with any of its threads), once each, and
// calls f until it says stop. The handle at which f stopped stays open and is the caller's; the others are closed. What
// cannot be read is passed over.
func each(ctx context.Context, f func(*Handle) (stop bool, err error)) error {
	seen := map[uint64]bool{}
	try := func(path, name string) (bool, error) {
		if err := context.Cause(ctx); err != nil {
			return true, err
		}
		h, err := openFile(path, path)
		if err != nil {
			return false, nil // gone, stale, or not ours to see
		}
		if seen[h.inode] {
			return false, h.Close()
		}
		seen[h.inode] = true
		h.name = name
		stop, err := f(h)
		if !stop || err != nil {
			h.Close()
		}
		return stop, err
	}
	names, err := List("")
	if err != nil {
		return err
	}
	for _, e := range names {
		if stop, err := try(e.Path, e.Name); stop || err != nil {
			return err
		}
	}
	mounts, err := nsMounts("thread-self")
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if stop, err := try(m.path, ""); stop || err != nil {
			return err
		}
	}
	return eachTask(func(pid, tid int) (bool, error) {
		path := taskPath(pid, tid) + "/ns/net"
		if ino, ok := linkInode(path, "net:["); !ok || seen[ino] {
			return false, nil
		}
		return try(path, "")
	})
}

// eachTask calls f for every thread of every process, the leader first.
func eachTask(f func(pid, tid int) (stop bool, err error)) error {
	pids, err := numbers("/proc")
	if err != nil {
		return err
	}
	for _, pid := range pids {
		tids, err := numbers(taskDir(pid))
		if err != nil {
			continue // gone
		}
		for _, tid := range tids {
			if stop, err := f(pid, tid); stop || err != nil {
				return err
			}
		}
	}
	return nil
}

func taskDir(pid int) string { return "/proc/" + strconv.Itoa(pid) + "/task" }

func taskPath(pid, tid int) string { return taskDir(pid) + "/" + strconv.Itoa(tid) }

// numbers returns the entries of a directory of /proc that are numbers, in ascending order.
func numbers(dir string) ([]int, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	list := make([]int, 0, len(names))
	for _, n := range names {
		if i, err := strconv.Atoi(n); err == nil {
			list = append(list, i) // /proc lists numbers in ascending order
		}
	}
	return list, nil
}

// linkInode reads "net:[4026531840]".
func linkInode(path, prefix string) (uint64, bool) {
	var buf [64]byte
	n, err := unix.Readlink(path, buf[:])
	if err != nil {
		return 0, false
	}
	return parseInode(string(buf[:n]), prefix)
}

func parseInode(text, prefix string) (uint64, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return 0, false
	}
	rest, ok = strings.CutSuffix(rest, "]")
	if !ok {
		return 0, false
	}
	ino, err := strconv.ParseUint(rest, 10, 64)
	return ino, err == nil
}

// A nsMount is a network namespace mounted on a file.
type nsMount struct {
	path  string
	inode uint64
}

// nsMounts reads the mounts of network namespaces as a process (a directory of /proc) sees them.
func nsMounts(process string) ([]nsMount, error) {
	b, err := os.ReadFile(filepath.Join("/proc", process, "mountinfo"))
	if err != nil {
		return nil, err
	}
	return parseNSMounts(b), nil
}

// parseNSMounts reads the format of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
func parseNSMounts(b []byte) []nsMount {
	var list []nsMount
	for line := range bytes.Lines(b) {
		if !bytes.Contains(line, []byte(" net:[")) {
			continue
		}
		f := strings.Fields(string(line))
		if len(f) < 5 {
			continue
		}
		if ino, ok := parseInode(f[3], "net:["); ok {
			list = append(list, nsMount{path: unescape(f[4]), inode: ino})
		}
	}
	return list
}

// unescape undoes the octal escapes of mountinfo: \040 and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
