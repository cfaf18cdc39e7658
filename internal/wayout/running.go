package wayout

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// openWait is how long a tool gets to have the way open.
const openWait = 10 * time.Second

// mark is how the first argument of a world's tools begins. Their environment cannot be read: pasta makes itself
// undumpable.
func mark(token string) string { return "warren@" + token + "/" }

// A running tool. Nil is one that is not running.
type running struct {
	pid  int
	done chan struct{} // closed when it has ended
}

func (r *running) alive() bool {
	if r == nil {
		return false
	}
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

func (r *running) kill() {
	_ = syscall.Kill(r.pid, unix.SIGKILL) // it is our child, or watched by a descriptor: the number is its own until done
	select {
	case <-r.done:
	case <-time.After(endWait):
	}
}

// adopted is a tool that is no child of ours. It takes the descriptor.
func adopted(pid, pidfd int) *running {
	r := &running{pid: pid, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		defer unix.Close(pidfd)
		_ = gone(pidfd, 1<<62)
	}()
	return r
}

// run starts a tool and waits until the world has a default route through it.
func (a *agent) run(t tool, path string, p netip.Prefix, have families) (*running, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	// What it says goes to memory: a pipe would end it when this process is killed.
	fd, err := unix.MemfdCreate("what "+t.name+" says", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	said := os.NewFile(uintptr(fd), t.name)
	defer said.Close()
	argv := append([]string{mark(a.token) + t.name}, t.argv(a.holder, p, have)...)
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: []uintptr{null.Fd(), said.Fd(), said.Fd()}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	r := &running{pid: pid, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for {
			if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, unix.EINTR) {
				return
			}
		}
	}()
	for end := time.Now().Add(openWait); !a.routed(t, have); {
		select {
		case <-r.done:
			return nil, fmt.Errorf("%s ended at once: %s", t.name, lastWords(said))
		case <-a.done:
			r.kill()
			return nil, errors.New("the world ends")
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(end) {
			r.kill()
			return nil, fmt.Errorf("%s made no route within %s: %s", t.name, openWait, lastWords(said))
		}
	}
	return r, nil
}

// routed reports whether the world has its default routes through the tool.
func (a *agent) routed(t tool, have families) bool {
	dir := filepath.Join("/proc", strconv.Itoa(a.holder), "net")
	return (!have.ip4 || slices.Contains(defaults4(filepath.Join(dir, "route")), Link)) &&
		(!have.ip6 || !t.ip6 || slices.Contains(defaults6(filepath.Join(dir, "ipv6_route")), Link))
}

// maxWords is as much of what a tool said as fits into an error.
const maxWords = 300

// lastWords is what a tool wrote, in one line.
func lastWords(f *os.File) string {
	buf := make([]byte, 4<<10)
	n, _ := f.ReadAt(buf, 0) // the end of the file is no error here
	var lines []string
	for line := range strings.Lines(string(buf[:n])) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "syslog") {
			lines = append(lines, line)
		}
	}
	s := strings.Join(lines, "; ")
	if len(s) > maxWords {
		s = s[:maxWords] + "..."
	}
	if s == "" {
		return "it said nothing"
	}
	return s
}

// A toolProcess is a tool as /proc shows it.
type toolProcess struct {
	pid    int
	argv   []string
	helper bool // a short-lived child of another one: pasta enters namespaces with such
}

// toolsOf finds the tools of a world.
func toolsOf(token string) []toolProcess {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []toolProcess
	for _, e := range names {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if argv, err := cmdline(pid); err == nil && len(argv) > 0 && strings.HasPrefix(argv[0], mark(token)) {
			out = append(out, toolProcess{pid: pid, argv: argv})
		}
	}
	for i := range out {
		parent := parentOf(out[i].pid)
		out[i].helper = slices.ContainsFunc(out, func(p toolProcess) bool { return p.pid == parent })
	}
	return out
}

// parentOf reads the PID of a process's parent (proc_pid_stat(5), field 4), 0 when it cannot be read.
func parentOf(pid int) int {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:])) // a name may hold anything
	if len(f) < 2 {
		return 0
	}
	ppid, _ := strconv.Atoi(f[1])
	return ppid
}

func cmdline(pid int) ([]string, error) {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return nil, err
	}
	return strings.Split(string(bytes.TrimSuffix(data, []byte{0})), "\x00"), nil
}

// KillTools ends what carried the packets of a world that is gone. A process that is somebody else's, whatever it calls
// itself, is left alone.
func KillTools(token string) error {
	for _, p := range toolsOf(token) {
		fd, err := unix.PidfdOpen(p.pid, 0)
		if err != nil {
			continue
		}
		again, err := cmdline(p.pid)
		if err == nil && len(again) > 0 && again[0] == p.argv[0] && unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil {
			err = gone(fd, endWait)
		} else {
			err = nil
		}
		_ = unix.Close(fd)
		if err != nil {
			return fmt.Errorf("end %s (PID %d): %w", filepath.Base(p.argv[0]), p.pid, err)
		}
	}
	return nil
}
