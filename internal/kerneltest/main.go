package kerneltest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// stageEnv tells the second process what it is. The third one does not need to be told: it sees marker.
const stageEnv = "WARREN_KERNELTEST"

// marker exists only on the tmpfs that a world has as /run. A file, because programs that tests start (scripts, above
// all) often get a clean environment.
const marker = "/run/.kerneltest"

// tempDir is the temporary directory inside: what a killed test leaves there is gone with the world.
const tempDir = "/run/tmp"

// Main runs the tests of a package in a world of their own and exits. It is all that a TestMain needs:
//
//	func TestMain(m *testing.M) { kerneltest.Main(m) }
func Main(m interface{ Run() int }) {
	Enter()
	os.Exit(m.Run())
}

// Enter makes the world and runs this program again in it; it returns only there. Call it first in a TestMain that
// needs more than [Main]. A program that is inside already, also one that a test starts, just goes on.
func Enter() { EnterThen(nil) }

// EnterThen is Enter with a look at the machine when the world has ended: after is called in the outermost process, and its
// error fails the run. Nil = nothing to look at.
func EnterThen(after func() error) {
	switch {
	case Inside():
	case os.Getpid() == 1 && os.Getenv(stageEnv) == "init":
		code, err := initWorld()
		if err != nil {
			fmt.Fprintf(os.Stderr, "kerneltest: %v\n", err)
			code = 1
		}
		os.Exit(code)
	default:
		code, err := startWorld()
		if err != nil {
			fmt.Fprintf(os.Stderr, "kerneltest: cannot make namespaces for the tests: %v (hint: run as root, or allow unprivileged user namespaces)\n", err)
			code = 1
		}
		if after != nil {
			if err := after(); err != nil {
				fmt.Fprintf(os.Stderr, "kerneltest: %v\n", err)
				code = max(code, 1)
			}
		}
		os.Exit(code)
	}
}

// Inside reports whether this process runs in a world made by [Enter].
func Inside() bool {
	_, err := os.Lstat(marker)
	return err == nil
}

// startWorld is the first stage, outside: it clones the second one into new namespaces and waits for it. The pipe on
// descriptor 3 is never written to: its end tells the second stage that this process is gone, however it went. (A parent
// death signal would be bound to a thread of ours.)
func startWorld() (int, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer w.Close()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...) //nolint:noctx // lives as long as this process
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageEnv+"=init")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{r}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	r.Close()
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // it may have gone meanwhile
		}
	}()
	err = cmd.Wait()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		if ws, ok := e.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			return 128 + int(ws.Signal()), nil
		}
		return e.ExitCode(), nil
	}
	return 0, err
}

// initWorld is the second stage, PID 1 of the world: it furnishes it, starts the test process and reaps until that one
// ends. When PID 1 ends the kernel kills all others.
func initWorld() (int, error) {
	unix.CloseOnExec(3)
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(3, "parent"))
		os.Exit(1)
	}()
	if err := furnish(); err != nil {
		return 0, err
	}
	if err := os.Unsetenv(stageEnv); err != nil {
		return 0, err
	}
	if err := os.Setenv("TMPDIR", tempDir); err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP)
	child, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Env:   os.Environ(),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return 0, err
	}
	pid := child.Pid
	go func() {
		for s := range signals {
			_ = unix.Kill(pid, s.(unix.Signal))
		}
	}()
	for {
		var ws unix.WaitStatus
		got, err := unix.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait: %w", err)
		case got == pid && ws.Signaled():
			return 128 + int(ws.Signal()), nil
		case got == pid && ws.Exited():
			return ws.ExitStatus(), nil
		}
	}
}
