package rootless

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	recordName = "@world" // no lab is called so
	lockName   = "@lock"
)

// directory is where the user's world is known from: $XDG_RUNTIME_DIR/warren, else /tmp/warren-UID. A runtime directory that
// is not there or is another user's (su keeps the variable) does not count.
func directory() string {
	if x := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(x) {
		if fi, err := os.Stat(x); err == nil && fi.IsDir() && owner(fi) == os.Geteuid() {
			return filepath.Join(x, "warren")
		}
	}
	return "/tmp/warren-" + strconv.Itoa(os.Geteuid())
}

func owner(fi fs.FileInfo) int {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

const elsewhere = "remove it, or set XDG_RUNTIME_DIR to a directory of your own"

// ensure makes the directory. What is there already must be a directory, no link to one, of this user alone: in /tmp anybody
// may have made it.
func ensure(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make run directory: %w (hint: set XDG_RUNTIME_DIR to a directory of your own)", err)
	}
	fi, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !fi.IsDir():
		return fmt.Errorf("run directory %s: something that is not a directory is in the way (hint: %s)", dir, elsewhere)
	case owner(fi) != os.Geteuid():
		return fmt.Errorf("run directory %s belongs to user %d, not to you (hint: %s)", dir, owner(fi), elsewhere)
	case fi.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("run directory %s: others may enter it, its mode is %04o (hint: chmod 700 %s)", dir, fi.Mode().Perm(), dir)
	}
	return nil
}

// openLock opens the lock's file, which must be the one that the path names once how is had (LOCK_SH or LOCK_EX); the last
// holder removes it. It waits.
func openLock(dir string, how int) (*os.File, error) {
	for {
		if err := ensure(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		path := filepath.Join(dir, lockName)
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the directory went meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("lock the world: %w", err)
		}
		if err := flock(f, how); err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		mine, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		if now, err := os.Lstat(path); err == nil && os.SameFile(mine, now) {
			return f, nil
		}
		_ = f.Close()
	}
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

const netnsDir = "/run/netns"

// idle reports whether there is nothing in the world that is to last: neither a lab's directory nor a named namespace. It
// is to be called inside. What cannot be told counts as something.
func idle(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), "@") {
			return false
		}
	}
	names, err := os.ReadDir(netnsDir)
	return err == nil && len(names) == 0
}

// wipe removes what the labs of a world that is gone left in its directory, and returns their names.
func wipe(dir string) (labs []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("clean run directory: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "@") {
			continue
		}
		if e.IsDir() {
			labs = append(labs, e.Name())
		}
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return labs, errors.Join(errs...)
}
