package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// Hidden first arguments: this binary as a supervisor, as a service that is about to be, and as one that is about to
// change its user.
const (
	supervisorArg = "@supervise"
	serviceArg    = "@service"
	userArg       = "@user"
	proxyArg      = "@proxy"
)

// serviceEnv names the service in its environment: orphans are known by it.
const serviceEnv = "WARREN_SERVICE"

// Descriptors of a service that is about to be.
const (
	specFD   = 3 // the launch, as JSON
	statusFD = 4 // closed by the exec; an error's text before
)

// A launch is what a service's process is told.
type launch struct {
	Service Service  `json:"service"`
	Env     []string `json:"env"`
}

// statusNotFound and statusNotExecutable are the shell's (and env(1)'s) exit statuses.
const (
	statusNotFound      = 127
	statusNotExecutable = 126
	statusBroken        = 125
)

// serviceMain turns this process into the service: namespace, mounts, user, exec. The PID is the service's own.
func serviceMain() int {
	unix.CloseOnExec(specFD)
	status := os.NewFile(statusFD, "status")
	fail := func(code int, err error) int {
		fmt.Fprint(status, err)
		return code
	}
	spec := os.NewFile(specFD, "launch")
	var l launch
	if err := json.NewDecoder(spec).Decode(&l); err != nil {
		return fail(statusBroken, fmt.Errorf("read launch: %w", err)) // the supervisor died
	}
	_ = spec.Close()
	s := l.Service
	argv := s.Argv
	dir := s.Dir
	if dir == "" {
		dir = "/"
	}
	if s.User != "" {
		argv = append([]string{"/proc/self/exe", userArg, s.User, dir}, argv...)
	} else {
		unix.CloseOnExec(statusFD)
	}
	if s.NS == "" {
		return fail(execNow(argv, l.Env, dir))
	}
	h, err := netns.OpenPath(s.NS)
	if err != nil {
		return fail(statusBroken, err)
	}
	if err := os.Chdir(dir); err != nil { // the command may be a path from there
		return fail(statusBroken, err)
	}
	err = netns.Exec(h, argv, netns.ExecOptions{Hosts: s.Hosts, ResolvConf: s.Resolv, Dir: dir, Env: l.Env})
	return fail(execStatus(err), err)
}

func execStatus(err error) int {
	if e, ok := errors.AsType[*netns.ExecError](err); ok {
		return e.ExitCode()
	}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, exec.ErrNotFound):
		return statusNotFound
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOEXEC):
		return statusNotExecutable
	default:
		return statusBroken
	}
}

// userMain is the second half for a service with a user of its own.
func userMain(args []string) int {
	status := os.NewFile(statusFD, "status")
	unix.CloseOnExec(statusFD)
	fail := func(code int, err error) int {
		fmt.Fprint(status, err)
		return code
	}
	if len(args) < 3 {
		return fail(statusBroken, errors.New("too few arguments"))
	}
	id, err := lookUp(args[0])
	if err != nil {
		return fail(statusBroken, err)
	}
	if err := id.become(); err != nil {
		return fail(statusBroken, fmt.Errorf("become user %s: %w", args[0], err))
	}
	return fail(execNow(args[2:], os.Environ(), args[1]))
}

// execNow replaces the process. It returns only when that does not work.
func execNow(argv, env []string, dir string) (int, error) {
	if err := os.Chdir(dir); err != nil {
		return statusBroken, err
	}
	path, err := lookPath(argv[0], env)
	if err != nil {
		return execStatus(err), err
	}
	err = syscall.Exec(path, argv, env)
	return execStatus(err), fmt.Errorf("exec %s: %w", path, err)
}

// lookPath searches the PATH of the environment that the program will have.
func lookPath(name string, env []string) (string, error) {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			if err := os.Setenv("PATH", v); err != nil {
				return "", err
			}
		}
	}
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		err = nil
	}
	return path, err
}

// spawn starts a service's process. It returns when the service has been executed, or with why it was not. fork is
// syscall.ForkExec with the reaper kept away until the PID is known.
func spawn(s Service, lab string, out *os.File, fork func(path string, argv []string, attr *syscall.ProcAttr) (int, error)) (pid int, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	specR, specW, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer specW.Close()
	defer specR.Close()
	statusR, statusW, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer statusR.Close()
	defer statusW.Close()
	if out == nil {
		out = null
	}
	for _, f := range []*os.File{specR, statusW, out} { // programs expect descriptors that block
		if err := unix.SetNonblock(int(f.Fd()), false); err != nil {
			return 0, err
		}
	}
	pid, err = fork("/proc/self/exe", []string{"warren", serviceArg, s.ID()}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), out.Fd(), out.Fd(), specR.Fd(), statusW.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("start a process: %w", err)
	}
	_ = specR.Close()
	_ = statusW.Close()
	// A child that dies at once makes the write fail; why is read below.
	_ = json.NewEncoder(specW).Encode(launch{Service: s, Env: serviceEnviron(s, lab)})
	_ = specW.Close()
	text, err := io.ReadAll(statusR)
	switch {
	case err != nil:
		return pid, err
	case len(text) > 0:
		return pid, errors.New(string(text))
	default:
		return pid, nil
	}
}

// serviceEnviron is the supervisor's environment, the service's own on top, and the mark. A name that is there twice
// counts once, with the last value.
func serviceEnviron(s Service, lab string) []string {
	all := append(os.Environ(), s.Env...)
	return lastOf(append(all, serviceEnv+"="+marker(lab, s.ID())))
}

// lastOf keeps the last value of each name.
func lastOf(all []string) []string {
	last := map[string]int{}
	for i, e := range all {
		name, _, _ := strings.Cut(e, "=")
		last[name] = i
	}
	var out []string
	for i, e := range all {
		if name, _, _ := strings.Cut(e, "="); last[name] == i {
			out = append(out, e)
		}
	}
	return out
}

// marker is the value of serviceEnv: the lab's directory tells labs of one name in two run directories apart.
func marker(labDir, id string) string { return labDir + ":" + id }

// fdPath is a path to an open directory's file. A socket's path may not be longer than 107 bytes; this one never is.
func fdPath(dir *os.File, name string) string {
	return "/proc/thread-self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + name
}
