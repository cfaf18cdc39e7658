package netns

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrForeignUser says that a process is in another user namespace, which no Go program can join: the kernel wants a single
// thread for that (setns(2)).
var ErrForeignUser = errors.New("its user namespace is another one, which a program with several threads cannot join")

// JoinOptions of [Join]; the zero value joins nothing.
type JoinOptions struct {
	// Net is the network namespace to enter, from a [Handle]; nil = none, or with KindNet in Kinds the process's.
	Net *Handle
	// Process is whose namespaces of Kinds to enter; nil when there are none. Those that are the caller's own already are
	// passed over.
	Process *Process
	Kinds   []Kind
	// Dir is the working directory inside, from which a relative argv[0] counts too. "" = the current one or, in another mount
	// namespace, its root directory.
	Dir string
	// Env is the environment; nil = the current one. Its PATH is where the program is looked for, inside.
	Env []string
}

// Join replaces this process by a program in other namespaces, as nsenter(1) does it: nothing is mounted and nothing laid over
// files, so without a mount namespace of its own the program sees the caller's /sys and /etc. PID, open descriptors without
// close-on-exec and ignored signals stay. It needs Linux 5.8 for namespaces of a process (setns(2) with a pidfd).
//
// Another PID namespace is the exception: a process never changes its own, only its children are born into another. Then the
// program is a child, Join passes signals on, stops and goes on with it, and ends as it ended: with the same status, or by
// the same signal.
//
// Join returns only when it failed: with an [ExecError] if it is for the program, an error that is [ErrForeignUser] for a
// user namespace, else with an [OpError].
func Join(argv []string, o JoinOptions) error {
	if len(argv) == 0 {
		return &ExecError{Err: unix.ENOENT}
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	flags, err := o.flags(argv)
	if err != nil {
		return err
	}
	return onLostThread(func() error {
		if err := o.enter(flags); err != nil {
			return err
		}
		if o.Dir != "" {
			if err := chdir(o.Dir); err != nil {
				return opError("change to directory "+o.Dir+" in", o.place(), err)
			}
		}
		path, err := lookPath(argv[0], o.Env)
		if err != nil {
			return &ExecError{Name: argv[0], Err: err}
		}
		if flags&unix.CLONE_NEWPID != 0 {
			return bear(path, argv, o.Env)
		}
		err = syscall.Exec(path, argv, o.Env)
		if errors.Is(err, unix.ENOEXEC) { // a script without #!
			err = syscall.Exec("/bin/sh", append([]string{"/bin/sh", path}, argv[1:]...), o.Env)
		}
		return &ExecError{Name: argv[0], Err: err}
	})
}

// place is what to call the target in errors.
func (o *JoinOptions) place() string {
	if o.Process != nil {
		return o.Process.ref
	}
	return o.Net.String()
}

// flags are the kinds to enter through the process's descriptor.
func (o *JoinOptions) flags(argv []string) (int, error) {
	flags := 0
	for _, k := range o.Kinds {
		if o.Process == nil {
			return 0, &OpError{Op: "enter the " + k.String() + " namespace of", Object: o.place(), Kind: ErrBadName}
		}
		same, err := o.Process.Shares(k)
		switch {
		case err != nil:
			return 0, err
		case same:
		case k == KindUser:
			return 0, &OpError{
				Op: "enter", Object: o.Process.ref, Kind: ErrForeignUser,
				Hint: "nsenter " + nsenterFlags(o.Process.PID, o.Kinds) + " -- " + strings.Join(argv, " "),
			}
		default:
			flags |= k.flag()
		}
	}
	return flags, nil
}

// nsenterFlags is how nsenter(1) is told the same.
func nsenterFlags(pid int, list []Kind) string {
	var letters strings.Builder
	for k := range kinds {
		if slices.Contains(list, k) {
			letters.WriteByte("nmpiuCU"[k])
		}
	}
	return "-t " + strconv.Itoa(pid) + " -" + letters.String()
}

// enter moves the calling thread, which is lost from then on.
func (o *JoinOptions) enter(flags int) error {
	if flags&unix.CLONE_NEWNS != 0 {
		// Root and working directory must not be shared with other threads.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return opError("enter", o.place(), err)
		}
	}
	// A named namespace first: the process's mount namespace may not have what is needed to look around.
	if o.Net != nil {
		if err := o.Net.enter(); err != nil {
			return err
		}
	}
	if flags == 0 {
		return nil
	}
	if err := unix.Setns(o.Process.fd, flags); err != nil {
		return opError("enter", o.place(), err)
	}
	return nil
}

// bear runs the program as a child of the calling thread, in the PID namespace that the thread's children are born into, and
// ends this process as the child ended.
func bear(path string, argv, env []string) error {
	// Before the child is there: a signal must not end this process alone.
	signals := make(chan os.Signal, 64)
	for _, n := range held() {
		if !signal.Ignored(n) { // the child is to find those ignored
			signal.Notify(signals, n)
		}
	}
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}})
	if errors.Is(err, unix.ENOEXEC) {
		pid, err = syscall.ForkExec("/bin/sh", append([]string{"/bin/sh", path}, argv[1:]...), &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}})
	}
	if err != nil {
		signal.Stop(signals)
		return &ExecError{Name: argv[0], Err: err}
	}
	go func() {
		for s := range signals {
			if n, ok := s.(syscall.Signal); ok && passedOn(n) {
				_ = syscall.Kill(pid, n)
			}
		}
	}()
	for {
		var ws syscall.WaitStatus
		_, err := syscall.Wait4(pid, &ws, syscall.WUNTRACED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return fmt.Errorf("wait for %q: %w", argv[0], err)
		case ws.Stopped():
			// Whoever stopped the program wants its terminal back.
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
			_ = syscall.Kill(pid, syscall.SIGCONT)
		case ws.Signaled():
			dieOf(ws.Signal())
		default:
			os.Exit(ws.ExitStatus())
		}
	}
}

// held are the signals that must not end or stop this process alone.
func held() []os.Signal {
	return []os.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM, syscall.SIGTSTP,
	}
}

// passedOn reports whether the program has to be told. What a terminal sends it gets by itself.
func passedOn(n syscall.Signal) bool {
	switch n {
	case syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP:
		return false
	}
	return true
}

// dieOf ends this process by a signal, without a dump of its own.
func dieOf(n syscall.Signal) {
	signal.Reset(n)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = syscall.Kill(syscall.Getpid(), n)
	const killedBy = 128
	os.Exit(killedBy + int(n)) // the signal was blocked or ignored
}
