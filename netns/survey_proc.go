package netns

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren/state"
)

// clockTicks is USER_HZ, the unit of times below /proc: 100 on every architecture that Go runs Linux on.
const clockTicks = 100

// process looks at one process: its threads' namespaces, what it has open, and its mounts when nobody else's were the same.
func (s *survey) process(pid int) {
	dir := "/proc/" + strconv.Itoa(pid)
	path := dir + "/ns/net"
	var in *Found // where the process is; nil for one that has ended but for some threads
	ino, err := readInode(path, "net:[")
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		s.miss(path, err)
		return
	}
	if err == nil {
		in = s.at(ino, path)
	}
	if in != nil {
		s.lives(in, pid, pid)
	}
	s.threads(pid, ino, in)
	s.files(pid, in)
	if m, err := readInode(dir+"/ns/mnt", "mnt:["); err == nil && !s.mountNS[m] {
		s.mountNS[m] = true
		s.mounts(strconv.Itoa(pid), pid)
	}
}

// threads looks for those that are elsewhere than their process.
func (s *survey) threads(pid int, home uint64, in *Found) {
	tids, err := numbers(taskDir(pid))
	if err != nil || len(tids) < 2 {
		return
	}
	for _, tid := range tids {
		if tid == pid {
			continue
		}
		path := taskPath(pid, tid) + "/ns/net"
		ino, ok := linkInode(path, "net:[")
		if !ok || in != nil && ino == home {
			continue
		}
		if f := s.at(ino, path); f != nil {
			s.lives(f, pid, tid)
		}
	}
}

// lives notes that a process, or one of its threads only, is in a namespace.
func (s *survey) lives(f *Found, pid, tid int) {
	if pid == 1 && tid == 1 {
		f.Init = true
	}
	if !s.opt.Processes && !s.opt.Holders {
		return
	}
	n := len(f.Processes)
	if n == 0 || f.Processes[n-1].PID != pid {
		p := s.describe(pid)
		f.older(p.Started)
		f.Processes = append(f.Processes, p)
		n++
	}
	if !s.opt.Holders {
		return
	}
	h := state.Holder{Kind: "process", PID: pid, Command: f.Processes[n-1].Command}
	if tid != pid {
		h.Kind, h.TID = "thread", tid
	}
	f.Holders = append(f.Holders, h)
}

// describe says all about a process that a page about its namespace shows; what is unknown stays empty.
func (s *survey) describe(pid int) state.Process {
	p := state.Process{PID: pid}
	dir := "/proc/" + strconv.Itoa(pid)
	if b, err := os.ReadFile(dir + "/status"); err == nil {
		p.UID, p.InnerPID = parseStatus(b)
		if p.InnerPID == pid {
			p.InnerPID = 0
		}
		p.User = s.user(p.UID)
	}
	if b, err := os.ReadFile(dir + "/cmdline"); err == nil && len(b) > 0 {
		text := strings.TrimRight(string(b), "\x00")
		p.Args = strings.Split(text, "\x00")
		p.Command = strings.ReplaceAll(text, "\x00", " ")
	}
	if b, err := os.ReadFile(dir + "/stat"); err == nil {
		name, started := parseStat(b)
		if p.Command == "" && name != "" {
			p.Command = "[" + name + "]"
		}
		if started > 0 && !s.boot.IsZero() {
			p.Started = s.boot.Add(time.Duration(started) * (time.Second / clockTicks))
		}
	}
	if b, err := os.ReadFile(dir + "/cgroup"); err == nil {
		p.Cgroup = parseCgroup(string(b))
	}
	return p
}

// user names a user, by the host's table.
func (s *survey) user(uid uint32) string {
	if name, ok := s.users[uid]; ok {
		return name
	}
	name := ""
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		name = u.Username
	}
	s.users[uid] = name
	return name
}

// parseStatus reads the effective user and the number in the innermost PID namespace (proc_pid_status(5)).
func parseStatus(b []byte) (uid uint32, inner int) {
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		switch {
		case len(f) >= 3 && string(f[0]) == "Uid:":
			v, _ := strconv.ParseUint(string(f[2]), 10, 32)
			uid = uint32(v)
		case len(f) >= 2 && string(f[0]) == "NSpid:":
			inner, _ = strconv.Atoi(string(f[len(f)-1]))
			return uid, inner
		}
	}
	return uid, inner
}

// parseStat reads the name and the start, in ticks since boot (proc_pid_stat(5)). The name may contain blanks and brackets.
func parseStat(b []byte) (name string, started uint64) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return "", 0
	}
	f := bytes.Fields(b[end+1:])
	const field = 22 - 3 // the first after the name is the third
	if len(f) > field {
		started, _ = strconv.ParseUint(string(f[field]), 10, 64)
	}
	return string(b[open+1 : end]), started
}

// parseCgroup chooses the path that tells most of /proc/PID/cgroup (cgroups(7)): that of the unified hierarchy, else of
// systemd's own, else the longest.
func parseCgroup(text string) string {
	best, rank := "", 0
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || f[2] == "/" {
			continue
		}
		r := 1
		switch {
		case f[0] == "0" && f[1] == "":
			r = 3
		case f[1] == "name=systemd":
			r = 2
		}
		if r > rank || r == rank && len(f[2]) > len(best) {
			best, rank = f[2], r
		}
	}
	if rank == 0 {
		return "/"
	}
	return best
}

// comm is the short name of a process.
func comm(pid int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// bootTime is when the machine started, by the clock of now (proc_stat(5)); in whole seconds.
func bootTime() time.Time {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}
	}
	for line := range bytes.Lines(b) {
		if v, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			if sec, err := strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64); err == nil {
				return time.Unix(sec, 0)
			}
		}
	}
	return time.Time{}
}

// readInode is linkInode with the reason why not.
func readInode(path, prefix string) (uint64, error) {
	var buf [64]byte
	n, err := unix.Readlink(path, buf[:])
	if err != nil {
		return 0, err
	}
	ino, ok := parseInode(string(buf[:n]), prefix)
	if !ok {
		return 0, unix.EINVAL
	}
	return ino, nil
}

// cause is the system's error of a file operation.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
