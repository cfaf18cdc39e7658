package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// SysMode says what a program started by [Exec] finds as /sys.
type SysMode int

const (
	// SysKeep, the default, mounts a sysfs that shows the namespace's devices and carries all that is mounted below /sys
	// over to it: control groups, bpf, tracing, ... Where the kernel refuses a sysfs (in many containers) /sys stays as
	// it is, with a warning.
	SysKeep SysMode = iota
	// SysFull mounts a bare sysfs, as ip-netns(8) does. A refusal is an error.
	SysFull
	// SysNone leaves /sys as it is: it shows the devices of the caller's namespace.
	SysNone
)

// String is the mode in a word, as --sys takes it.
func (m SysMode) String() string {
	switch m {
	case SysKeep:
		return "keep"
	case SysFull:
		return "full"
	case SysNone:
		return "none"
	default:
		panic(fmt.Sprintf("sys mode %d", int(m)))
	}
}

// ExecOptions of [Exec]; the zero value will do.
type ExecOptions struct {
	// Hosts and ResolvConf are files that the program sees as /etc/hosts and /etc/resolv.conf; "" = those of the system.
	// It does not matter whether the system's is a file, a symbolic link (to nowhere, even) or missing.
	Hosts, ResolvConf string
	// Sys is what happens to /sys; the zero value is SysKeep.
	Sys SysMode
	// Dir is the working directory, from which a relative argv[0] counts too; "" = the current one.
	Dir string
	// Env is the environment; nil = the current one. Its PATH is where the program is looked for.
	Env []string
	// Final says that this program ends when Exec fails. Then the calling thread itself goes inside, and its goroutine
	// stays locked to it: replacing a process is cheaper from its main thread, which others have to be spared.
	Final bool
	// Warn is told what could not be done and does not matter enough to fail; nil = nobody.
	Warn func(error)
}

func (o *ExecOptions) warn(err error) {
	if o.Warn != nil {
		o.Warn(err)
	}
}

// An ExecError means that everything is fine but the program.
type ExecError struct {
	Name string
	Err  error
}

// Error names the program and says what the system said.
func (e *ExecError) Error() string { return fmt.Sprintf("run %q: %v", e.Name, e.Err) }

// Unwrap gives the system's error.
func (e *ExecError) Unwrap() error { return e.Err }

// ExitCode is what shells make of it: 127 when there is no such program, 126 when it cannot be run.
func (e *ExecError) ExitCode() int {
	if errors.Is(e.Err, unix.ENOENT) || errors.Is(e.Err, unix.ENOTDIR) {
		return 127
	}
	return 126
}

// Exec replaces this process by a program inside of the namespace; argv[0] is looked for as a shell does. The PID, the
// open descriptors without close-on-exec, the signals that are ignored stay. The program gets a mount namespace of its
// own, so what it is shown as /sys and below /etc is seen by nobody else. For a namespace that was opened by its name
// the files below /etc/netns/NAME are laid over those in /etc, as ip-netns(8) does; Hosts and ResolvConf go first.
//
// Exec returns only when it failed: with an [ExecError] if it is for the program, else with an [OpError].
func Exec(h *Handle, argv []string, o ExecOptions) error {
	if len(argv) == 0 {
		return &ExecError{Err: unix.ENOENT}
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	// There is no way back from a new mount namespace: the thread is replaced with the process, or dies.
	visit := onLostThread
	if o.Final {
		visit = onThisThread
	}
	return visit(func() error {
		if err := h.enter(); err != nil {
			return err
		}
		// From here on we are seen inside. Whoever empties a namespace takes its name away first and then looks who is
		// inside: either we are found, or we find the name gone.
		if err := h.stillNamed(); err != nil {
			return err
		}
		if err := furnish(h, &o); err != nil {
			return err
		}
		path, err := lookPath(argv[0], o.Env)
		if err != nil {
			return &ExecError{Name: argv[0], Err: err}
		}
		err = syscall.Exec(path, argv, o.Env)
		if errors.Is(err, unix.ENOEXEC) { // a script without #!
			err = syscall.Exec("/bin/sh", append([]string{"/bin/sh", path}, argv[1:]...), o.Env)
		}
		runtime.KeepAlive(h)
		return &ExecError{Name: argv[0], Err: err}
	})
}

// furnish gives the calling thread, which is inside, a mount namespace with what o wants.
func furnish(h *Handle, o *ExecOptions) error {
	overlays := findOverlays(h, o)
	if o.Sys != SysNone || len(overlays) > 0 {
		where := workingDir()
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return opError("make a mount namespace for", h.ref, err)
		}
		// Nothing may reach the caller's mounts; what is mounted there later still comes in.
		if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
			return opError("separate the mounts of", h.ref, err)
		}
		if err := mountSys(h, o); err != nil {
			return err
		}
		for _, ov := range overlays {
			if err := ov.mount(); err != nil {
				return opError("mount "+ov.target+" for", h.ref, err)
			}
		}
		// A directory that is covered now is not the one that its path leads to.
		if o.Dir == "" && (strings.HasPrefix(where, "/sys") || strings.HasPrefix(where, "/etc")) {
			o.Dir = where
		}
	}
	if o.Dir != "" {
		if err := chdir(o.Dir); err != nil {
			return opError("change to directory "+o.Dir+" in", h.ref, err)
		}
	}
	return nil
}

// chdir changes the calling thread's directory. A thread that has unshared its mounts has its own; one that has not must
// not change everybody's, in case exec fails.
func chdir(dir string) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	return unix.Chdir(dir)
}

// workingDir is the current directory; "" when it has no path.
func workingDir() string {
	var buf [unix.PathMax]byte
	n, err := unix.Getcwd(buf[:])
	if err != nil || n < 1 {
		return ""
	}
	return string(buf[:n-1])
}

// lookPath looks for a program as a shell does, in the PATH of env. A file that is there and cannot be run counts only
// if no other is found.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, runnable(name)
	}
	if name == "" {
		return "", unix.ENOENT
	}
	path, found := "/usr/local/bin:/usr/bin:/bin", error(unix.ENOENT)
	for _, e := range env {
		if p, ok := strings.CutPrefix(e, "PATH="); ok {
			path = p
		}
	}
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		var st unix.Stat_t
		if unix.Stat(dir+"/"+name, &st) != nil {
			continue // not there, or in a directory that is not ours to search: as shells see it, not there
		}
		err := runnable(dir + "/" + name)
		if err == nil {
			return dir + "/" + name, nil
		}
		found = err
	}
	return "", found
}

func runnable(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return unix.EACCES
	}
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}
