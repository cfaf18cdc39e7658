package rootless

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"warren/internal/wayout"
)

// IsHolder reports whether a command line is one that this package started: then main calls HolderMain and nothing else.
// args are os.Args.
func IsHolder(args []string) bool { return len(args) > 1 && args[1] == holderArg }

// HolderMain is the program's other life, as the process that keeps a world. The result is the exit status.
func HolderMain(args []string) int {
	if len(args) != 4 || os.Getpid() == 0 {
		return 2
	}
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGPIPE)
	for fd := holderLock; fd <= holderGo; fd++ {
		unix.CloseOnExec(fd)
	}
	status := os.NewFile(holderStatus, "status")
	watch, err := prepare(args[2], args[3])
	if err != nil {
		f := failure{Step: "prepare the world", Text: err.Error()}
		if s, ok := errors.AsType[*stepError](err); ok {
			f.Step, f.Asked = s.step, s.asked
		}
		if errno, ok := errors.AsType[syscall.Errno](err); ok {
			f.Errno = errno
		}
		_ = json.NewEncoder(status).Encode(f) // nobody listens: nobody needs it
		return 1
	}
	_ = unix.Close(holderLock)
	_ = status.Close()
	maker := os.NewFile(holderGo, "maker")
	_, _ = io.Copy(io.Discard, maker)
	_ = maker.Close()
	if err := keep(args[2], args[3], watch); err != nil {
		return 1
	}
	return 0
}

// prepare furnishes the world, watches what it is kept for, and makes it known.
func prepare(dir, token string) (watch int, err error) {
	if err := furnish(dir); err != nil {
		return -1, err
	}
	if watch, err = unix.InotifyInit1(unix.IN_CLOEXEC); err != nil {
		return -1, &stepError{"watch for the end (inotify; the limit is fs.inotify.max_user_instances)", err, false}
	}
	for _, d := range []string{dir, netnsDir} {
		if _, err := unix.InotifyAddWatch(watch, d, unix.IN_DELETE|unix.IN_ONLYDIR); err != nil {
			return -1, &stepError{"watch for the end (inotify; the limit is fs.inotify.max_user_watches)", err, false}
		}
	}
	start, _ := started(os.Getpid())
	if err := (record{Format: format, PID: os.Getpid(), Start: start, Boot: bootID(), Token: token}).write(dir); err != nil {
		return -1, &stepError{"write down in " + dir + " who holds the world", err, false}
	}
	return watch, nil
}

// keep returns when the world has no lab, no named namespace and no command at work. Nobody can come in meanwhile: the lock
// is had alone until what makes the world known is removed.
func keep(dir, token string, watch int) error {
	// The directory's descriptor is not that of the maker: locks belong to whoever opened the file.
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return fmt.Errorf("open lock: %w", err)
	}
	defer lock.Close()
	buf := make([]byte, 16<<10)
	for {
		if err := flock(lock, unix.LOCK_EX); err != nil {
			return err
		}
		if idle(dir) {
			break
		}
		if err := flock(lock, unix.LOCK_UN); err != nil {
			return err
		}
		// Whatever went since the look above waits here.
		if _, err := unix.Read(watch, buf); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for the end: %w", err)
		}
	}
	err = wayout.End(dir, token) // what it could not end, the next command does
	for _, name := range []string{recordName, lockName} {
		_ = os.Remove(filepath.Join(dir, name))
	}
	_ = os.Remove(dir) // somebody's files may be there
	return err
}
