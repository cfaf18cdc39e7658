package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	unconfirmedFile = "unconfirmed"
	watchdogLog     = "watchdog"
)

// SaveUnconfirmed keeps what is to be done with a change that nobody has confirmed yet. When it returns nil it is on disk.
func (d Dir) SaveUnconfirmed(v any) error { return writeJSON(d.file(unconfirmedFile), v, 0o600) }

// LoadUnconfirmed reads what SaveUnconfirmed wrote; errors as in [Dir.LoadExpanded].
func (d Dir) LoadUnconfirmed(v any) error { return readJSON(d.file(unconfirmedFile), v) }

// UnconfirmedChanged tells when the record was last written; the zero time when there is none.
func (d Dir) UnconfirmedChanged() time.Time {
	fi, err := os.Lstat(d.file(unconfirmedFile))
	if err != nil {
		return time.Time{}
	}
	return fi.ModTime()
}

// DropUnconfirmed forgets the record: the change stays, or is undone.
func (d Dir) DropUnconfirmed() error {
	if err := os.Remove(d.file(unconfirmedFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget unconfirmed change of lab %s: %w", d.lab, err)
	}
	return nil
}

// A Watchdog is a process that waits beside a lab, in a session of its own: neither the end of the terminal nor that of the
// command that started it ends it. The zero Watchdog is none.
type Watchdog struct {
	PID   int    `json:"pid,omitempty"`
	Start uint64 `json:"start,omitempty"` // clock ticks after boot; with the PID it identifies a process
}

// StartWatchdog starts this program again with these arguments, its name first. What it has to say goes to the log
// "watchdog" of the lab.
func (d Dir) StartWatchdog(argv []string) (Watchdog, error) {
	fail := func(err error) (Watchdog, error) {
		return Watchdog{}, fmt.Errorf("start watchdog of lab %s: %w", d.lab, err)
	}
	if err := os.Mkdir(d.file(logsDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fail(err)
	}
	out, err := os.OpenFile(filepath.Join(d.file(logsDir), watchdogLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fail(err)
	}
	defer out.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fail(err)
	}
	defer null.Close()
	p, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Dir:   "/",
		Files: []*os.File{null, out, out},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fail(err)
	}
	go func() { _, _ = p.Wait() }() // for a caller that lives longer than the watchdog
	st, ok := readStat(p.Pid)
	if !ok {
		return fail(errors.New("it ended at once"))
	}
	return Watchdog{PID: st.PID, Start: st.Start}, nil
}

// Alive reports whether the very process still runs.
func (w Watchdog) Alive() bool { return process(w).alive() }

// Self reports whether this process is it.
func (w Watchdog) Self() bool { return w.PID == os.Getpid() }

// End kills the watchdog and waits until it is gone. Call it under the lab's lock: a watchdog that has it is at work. One that
// is gone already, or is the caller, is left alone.
func (w Watchdog) End(ctx context.Context) error {
	p := process(w)
	if w.Self() || !p.alive() {
		return nil
	}
	if err := signalProcess(p, unix.SIGKILL); err != nil {
		return fmt.Errorf("end watchdog (PID %d): %w", w.PID, err)
	}
	return waitProcesses(ctx, []process{p})
}

// SinceBoot is the clock of deadlines: it goes on while the machine sleeps, and nobody sets it (CLOCK_BOOTTIME).
func SinceBoot() (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, fmt.Errorf("read the time since boot: %w", err)
	}
	return time.Duration(now.Nano()), nil
}
