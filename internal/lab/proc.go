package lab

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// procStat is what is used of /proc/PID/stat (proc_pid_stat(5)).
type procStat struct {
	PID   int
	State byte // 'R', 'S', 'Z', ...
	PPID  int
	PGID  int
	SID   int
	Start uint64 // clock ticks after boot; with the PID it identifies a process
}

func readStat(pid int) (procStat, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, false
	}
	return parseStat(data)
}

// parseStat: the second field is the program's name in parentheses, which may hold anything, parentheses too.
func parseStat(data []byte) (procStat, bool) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 1 || end < open {
		return procStat{}, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data[:open])))
	if err != nil {
		return procStat{}, false
	}
	f := strings.Fields(string(data[end+1:]))
	if len(f) < 20 || len(f[0]) != 1 {
		return procStat{}, false
	}
	ppid, err1 := strconv.Atoi(f[1])
	pgid, err2 := strconv.Atoi(f[2])
	sid, err3 := strconv.Atoi(f[3])
	start, err4 := strconv.ParseUint(f[19], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return procStat{}, false
	}
	return procStat{PID: pid, State: f[0][0], PPID: ppid, PGID: pgid, SID: sid, Start: start}, true
}

// allProcesses reads /proc once. Zombies are not among them: they hold nothing and cannot be ended.
func allProcesses() []procStat {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var out []procStat
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if st, ok := readStat(pid); ok && st.State != 'Z' && st.State != 'X' {
			out = append(out, st)
		}
	}
	return out
}

// userHz is the unit of the times in /proc: USER_HZ is 100 on every architecture that Go has for Linux.
const userHz = 100

func startTime(pid int) time.Time {
	st, ok := readStat(pid)
	if !ok {
		return time.Time{}
	}
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return time.Time{}
	}
	age := time.Duration(now.Nano()) - time.Duration(st.Start)*(time.Second/userHz)
	return time.Now().Add(-age)
}

// environ is the environment that a process was started with; nil when it cannot be read. In the middle of an execve
// the new image has neither arguments nor environment yet (fs/exec.c: they are entered after the memory is swapped), so
// an empty one is believed only when the process had the time to get further.
func environ(pid int) []string {
	deadline := time.Now().Add(time.Second)
	for started := 0; ; {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			return nil
		}
		if len(data) > 0 {
			return strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
		}
		if st, ok := readStat(pid); !ok || st.State == 'Z' || time.Now().After(deadline) {
			return nil
		}
		// The arguments are entered just before the environment: once they are there, it follows at once.
		if args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err != nil || len(args) > 0 {
			if started++; started > 3 {
				return nil
			}
		}
		<-time.After(100 * time.Microsecond)
	}
}

func hasEnviron(pid int, entry string) bool { return slices.Contains(environ(pid), entry) }
