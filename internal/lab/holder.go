package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Holder is the process that holds a lock, as far as it can be seen. The zero value is one that cannot.
type Holder struct {
	PID     int
	Command string
	// Since is when the process started.
	Since time.Time
}

// String is "PID 12 (warren up classic), running since 12:03:05".
func (h Holder) String() string {
	if h.PID == 0 {
		return "a process that cannot be seen from here"
	}
	s := fmt.Sprintf("PID %d", h.PID)
	if h.Command != "" {
		s += " (" + h.Command + ")"
	}
	if !h.Since.IsZero() {
		s += ", running since " + h.Since.Format(time.TimeOnly)
	}
	return s
}

// FindHolder finds who holds the flock on a file. There is no file that could be stale: the kernel is asked
// (/proc/locks), so the answer is right or empty.
func FindHolder(path string) Holder {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return Holder{}
	}
	data, err := os.ReadFile("/proc/locks")
	if err != nil {
		return Holder{}
	}
	pid := lockPID(data, unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	if pid <= 0 {
		return Holder{}
	}
	return Holder{PID: pid, Command: commandLine(pid), Since: startTime(pid)}
}

// lockPID finds the holder of the flock on an inode in what /proc/locks prints:
//
//	1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF
//	1: -> FLOCK  ADVISORY  WRITE 1235 00:1a:5678 0 EOF
//
// (the second one waits). PID 0 is one of another PID namespace.
func lockPID(locks []byte, major, minor uint32, ino uint64) int {
	want := fmt.Sprintf("%02x:%02x:%d", major, minor, ino)
	sc := bufio.NewScanner(bytes.NewReader(locks))
	for sc.Scan() {
		f := strings.Fields(sc.Text())
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != want {
			continue
		}
		pid, err := strconv.Atoi(f[4])
		if err == nil {
			return pid
		}
	}
	return 0
}

// commandLine is the process's command line for a person: the program without its folder, at most 120 bytes.
func commandLine(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || len(data) == 0 {
		return processName(pid)
	}
	args := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
	args[0] = args[0][strings.LastIndexByte(args[0], '/')+1:]
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.Join(args, " "))
	if len(line) > 120 {
		line = strings.ToValidUTF8(line[:117], "") + "..."
	}
	return line
}

func processName(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}
