package wayout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// agentArg is the hidden first argument of an agent: warren @outside DIRECTORY TOKEN PID.
const agentArg = "@outside"

// listenFD is the agent's socket, listening already.
const listenFD = 3

// A World is one as its agent needs to know it.
type World struct {
	Dir   string
	Token string
	// Holder is the PID of the process that holds the world. It must be alive while Ensure is called.
	Holder int
	// Env are entries "NAME=VALUE" that everything of the world carries in its environment.
	Env []string
}

// Ensure makes sure that the world has an agent, and tells it to repair what was killed. It is to be called outside. It does
// not wait for the agent.
func Ensure(w World) error {
	if w.poke() == nil {
		return nil
	}
	lock, err := lockDir(w.Dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if w.poke() == nil {
		return nil // somebody was faster
	}
	return w.start()
}

// poke says hello. That somebody listens is all there is to know.
func (w World) poke() error {
	conn, err := Client{Dir: w.Dir}.dial(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	data, err := json.Marshal(request{Op: opCheck})
	if err != nil {
		return err
	}
	_, err = conn.Write(data)
	return err
}

// lockDir serialises starting an agent and the end of one.
func lockDir(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
	}
}

func (w World) start() error {
	if err := os.Remove(filepath.Join(w.Dir, socketName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("listen for what the world wants: %w", err)
	}
	var l *net.UnixListener
	err := at(w.Dir, func(path string) (err error) {
		l, err = net.ListenUnix(network, &net.UnixAddr{Name: path, Net: network})
		return err
	})
	if err != nil {
		return fmt.Errorf("listen for what the world wants: %w", err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	f, err := l.File()
	if err != nil {
		return err
	}
	defer f.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	_, err = syscall.ForkExec("/proc/self/exe", []string{"warren", agentArg, w.Dir, w.Token, strconv.Itoa(w.Holder)}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   append(os.Environ(), w.Env...),
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), f.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("start the process that connects your world with the machine: %w", err)
	}
	return nil
}

// endWait is how long the agent gets to be gone.
const endWait = 5 * time.Second

// End ends the agent and the way out, and removes their files: the last act of who holds the world, with nobody else in it.
func End(dir, token string) error {
	c := Client{Dir: dir}
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	var errs []error
	if conn, err := c.dial(ctx); err == nil {
		_ = conn.SetDeadline(time.Now().Add(endWait))
		r, _, err := talk(conn, request{Op: opEnd})
		fd := -1
		if r.PID > 0 {
			fd, _ = unix.PidfdOpen(r.PID, 0) // it waits for the connection's end
		}
		_ = conn.Close()
		if fd >= 0 {
			err = errors.Join(err, gone(fd, endWait))
			_ = unix.Close(fd)
		}
		errs = append(errs, err)
	}
	// Of an agent that was killed the tool may be left.
	if _, err := os.Lstat(filepath.Join(dir, wantedName)); err == nil {
		errs = append(errs, KillTools(token))
	}
	for _, name := range Files() {
		if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// gone waits for a process's end.
func gone(pidfd int, wait time.Duration) error {
	poll := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for end := time.Now().Add(wait); ; {
		n, err := unix.Poll(poll, int(max(0, time.Until(end).Milliseconds())))
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return err
		case !time.Now().Before(end):
			return errors.New("a process does not end")
		}
	}
}

// IsAgent reports whether a command line is one that this package started: then main calls [Main] and nothing else.
// args are os.Args.
func IsAgent(args []string) bool {
	return len(args) > 1 && slices.Contains([]string{agentArg, relayArg}, args[1])
}

// Main is the program's other life, as the agent of a world or as a lab's relay. The result is the exit status.
func Main(args []string) int {
	switch {
	case len(args) == 5 && args[1] == agentArg:
		return agentMain(args[2], args[3], args[4])
	case len(args) == 4 && args[1] == relayArg:
		return relayMain(args[2], args[3])
	default:
		return 2
	}
}
