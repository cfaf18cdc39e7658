package rootless

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"warren/internal/wayout"
)

// holderArg is the hidden first argument of a holder: warren @world DIRECTORY TOKEN.
const holderArg = "@world"

// Descriptors of a holder.
const (
	holderLock   = 3 // the maker's lock, until the world is known
	holderStatus = 4 // what went wrong, as JSON; closed without a word when the world is there
	holderGo     = 5 // ends when the maker is in
)

// A failure is what a holder tells of the step that failed.
type failure struct {
	Step  string        `json:"step"`
	Errno syscall.Errno `json:"errno,omitempty"`
	Text  string        `json:"text"`
	// Asked: the kernel was asked for what it may forbid ordinary users.
	Asked bool `json:"asked,omitempty"`
}

// renew makes a world, in place of one whose holder died, and returns its lock, shared. When somebody was faster there is
// nothing to make: then it returns nil.
func renew(dir string, note func(string)) (*os.File, error) {
	lock, err := openLock(dir, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	old, err := readRecord(dir)
	if err == nil && !old.alive() {
		if err = bury(dir, old, note); err == nil {
			if err = start(dir, lock); err == nil {
				return lock, nil
			}
		}
		// Nothing may stay of a world that did not come to be. The lock last: others wait for it.
		for _, name := range []string{recordName, lockName} {
			_ = os.Remove(filepath.Join(dir, name))
		}
		_ = os.Remove(dir)
	}
	return nil, errors.Join(err, lock.Close())
}

// bury ends what is left of a world whose holder died: its processes, which nobody can join any more, and its files.
func bury(dir string, old record, note func(string)) error {
	if old.Token != "" {
		if err := errors.Join(endProcesses(old.Token), wayout.KillTools(old.Token)); err != nil {
			return err
		}
	}
	labs, err := wipe(dir)
	if len(labs) > 0 {
		note(fmt.Sprintf("the process that kept your labs had been killed (PID %d); gone with it: %s", old.PID, strings.Join(labs, ", ")))
	}
	for _, name := range append(wayout.Files(), recordName) {
		if e := os.Remove(filepath.Join(dir, name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// start starts a holder and waits until its world is there. The lock is shared when it returns.
func start(dir string, lock *os.File) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	statusR, statusW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer statusR.Close()
	defer statusW.Close()
	goR, goW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer goR.Close()
	defer goW.Close()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"warren", holderArg, dir, rand.Text()}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd(), lock.Fd(), statusW.Fd(), goR.Fd()},
		Sys: &syscall.SysProcAttr{
			Setsid:      true,
			Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		},
	})
	if err != nil {
		return Explain(fmt.Errorf("make a user namespace: %w", err), readSetting)
	}
	_ = statusW.Close()
	var f failure
	if json.NewDecoder(statusR).Decode(&f) == nil {
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		err := errors.New(f.Text)
		if f.Errno != 0 {
			err = f.Errno
		}
		err = fmt.Errorf("%s in a new user namespace: %w", f.Step, err)
		if f.Asked {
			err = Explain(err, readSetting)
		}
		return err
	}
	if r, err := readRecord(dir); err != nil || !r.alive() {
		return errors.Join(errors.New("the process that is to keep the world died at once"), err)
	}
	return flock(lock, unix.LOCK_SH)
}
