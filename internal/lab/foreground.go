package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A StartError says why a command could not be started in a namespace. Its text is that of the attempt.
type StartError struct {
	Text string
	// Status is the exit status that shells use for it: 127 not found, 126 not executable, 125 anything else.
	Status int
}

func (e *StartError) Error() string { return e.Text }

// ExitCode is the status.
func (e *StartError) ExitCode() int { return e.Status }

// Foreground starts a service's command as a child of this process, in its process group and with these files as standard
// input, output and error. env is the whole environment but for the service's own. It returns when the command has been
// executed, or with a [*StartError].
func Foreground(s Service, env []string, files [3]*os.File) (*os.Process, error) {
	specR, specW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer specW.Close()
	defer specR.Close()
	statusR, statusW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer statusR.Close()
	defer statusW.Close()
	p, err := os.StartProcess("/proc/self/exe", []string{"warren", serviceArg, s.ID()}, &os.ProcAttr{
		Env: env, Files: []*os.File{files[0], files[1], files[2], specR, statusW},
	})
	if err != nil {
		return nil, fmt.Errorf("start a process: %w", err)
	}
	_ = specR.Close()
	_ = statusW.Close()
	// A child that dies at once makes the write fail; why is read below.
	_ = json.NewEncoder(specW).Encode(launch{Service: s, Env: lastOf(slices.Concat(env, s.Env))})
	_ = specW.Close()
	text, err := io.ReadAll(statusR)
	if err == nil && len(text) == 0 {
		return p, nil
	}
	if err != nil {
		_ = p.Kill()
	}
	state, waited := p.Wait()
	if err = errors.Join(err, waited); err != nil {
		return nil, err
	}
	return nil, &StartError{Text: string(text), Status: state.ExitCode()}
}

// FindCommand looks for a command as a shell in the folder dir (absolute) would. The error is a [*StartError].
func FindCommand(name, dir string) (path string, err error) {
	path = name
	if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		path = filepath.Join(dir, name)
	}
	path, err = exec.LookPath(path)
	switch {
	case err == nil, errors.Is(err, exec.ErrDot):
		return filepath.Abs(path)
	case errors.Is(err, os.ErrPermission):
		return "", &StartError{Text: fmt.Sprintf("run %s: permission denied", name), Status: statusNotExecutable}
	}
	return "", &StartError{Text: fmt.Sprintf("run %s: command not found", name), Status: statusNotFound}
}

// SameTerminal reports whether this process is in the foreground of its terminal: what is typed there reaches the whole
// process group.
func SameTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
