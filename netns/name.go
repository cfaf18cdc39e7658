package netns

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"warren/state"
)

// Dir is where namespaces have their names, as ip-netns(8) is built by distributions.
const Dir = "/run/netns"

// CheckName checks a name below [Dir]: what [state.CheckName] says, and at most 255 bytes.
func CheckName(name string) error {
	if err := state.CheckName(name, unix.NAME_MAX); err != nil {
		return &OpError{Op: "name", Object: name, Kind: ErrBadName, Err: err}
	}
	return nil
}

// checkPath checks the path of a name and returns the directory that the name is in. Only a clean absolute one will do:
// "/run/netns/x/../../y" never reaches a file.
func checkPath(path string) (dir string, err error) {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path {
		return "", &OpError{Op: "name", Object: path, Kind: ErrBadName, Err: errors.New("the path is not absolute and clean")}
	}
	dir, name := filepath.Split(path)
	return filepath.Clean(dir), CheckName(name)
}

// A placeholder is the empty file that a namespace is mounted on. ip-netns(8) makes it with mode 0 and mounts a moment
// later; killed in between it leaves the file for ever. We keep ours locked (flock(2)) until the mount is there and write
// ours into it, so that one left by a killed warren is known at once: ours, and not locked. One that is empty may belong
// to an `ip netns add` that is at work at this instant, which holds no lock: only age tells.
const (
	ours       = "warren\n"
	foreignAge = 2 * time.Second
)

// condition is what sits at a name.
type condition int

const (
	absent condition = iota
	mounted
	beingMade // by somebody who is alive, or may be
	stale     // left half-made
	foreign   // something that no name is
)

// A placeholder file that was found, locked by us if it is stale.
type found struct {
	condition condition
	ino       uint64
	fd        int // locked; -1 = none
}

func (f *found) close() {
	if f.fd >= 0 {
		unix.Close(f.fd)
		f.fd = -1
	}
}

// look tells what sits at path. Symbolic links (an old way to give a container a name) count as what they lead to; a
// dangling one is stale.
func look(path string) (found, error) {
	f := found{fd: -1}
	var st unix.Stat_t
	err := unix.Lstat(path, &st)
	if errors.Is(err, unix.ENOENT) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.ino = st.Ino
	var sfs unix.Statfs_t
	err = retry(func() error { return unix.Statfs(path, &sfs) })
	switch {
	case err == nil && sfs.Type == unix.NSFS_MAGIC:
		f.condition = mounted
		return f, nil
	case err != nil && !errors.Is(err, unix.ENOENT):
		return f, err
	case st.Mode&unix.S_IFMT == unix.S_IFLNK:
		f.condition = foreign
		if err != nil {
			f.condition = stale
		}
		return f, nil
	case st.Mode&unix.S_IFMT != unix.S_IFREG || st.Mode&0o7777 != 0 || st.Size != 0 && st.Size != int64(len(ours)):
		f.condition = foreign
		return f, nil
	}
	return lookInto(path, f)
}

// lookInto decides about a plain file of mode 0.
func lookInto(path string, f found) (found, error) {
	fd, err := openRetry(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ELOOP) {
		return look(path) // it has just changed
	}
	if err != nil {
		return f, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return f, err
	}
	if st.Ino != f.ino { // the mount has just come, or another file
		unix.Close(fd)
		f.condition = beingMade
		return f, nil
	}
	f.condition = beingMade
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		unix.Close(fd)
		return f, nil
	}
	if err != nil {
		unix.Close(fd)
		return f, err
	}
	buf := make([]byte, len(ours)+1)
	n, err := unix.Pread(fd, buf, 0)
	switch {
	case err != nil:
		unix.Close(fd)
		return f, err
	case string(buf[:n]) == ours, n == 0 && time.Since(time.Unix(st.Ctim.Unix())).Abs() > foreignAge:
		f.condition, f.fd = stale, fd
		return f, nil
	case n == 0:
	default:
		f.condition = foreign
	}
	unix.Close(fd)
	return f, nil
}

// settle looks at path until nobody is at work on it any more.
func settle(ctx context.Context, path string) (found, error) {
	for pause := 200 * time.Microsecond; ; pause = min(2*pause, 50*time.Millisecond) {
		f, err := look(path)
		if err != nil || f.condition != beingMade {
			return f, err
		}
		if err := wait(ctx, pause); err != nil {
			return f, err
		}
	}
}

// wait pauses; it is cut short by ctx.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// lockDir takes the lock on the directory that iproute2 takes too, and returns the descriptor that holds it.
func lockDir(ctx context.Context, dir string) (int, error) {
	fd, err := openRetry(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return -1, err
	}
	for pause := 50 * time.Microsecond; ; pause = min(2*pause, 5*time.Millisecond) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return fd, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			unix.Close(fd)
			return -1, err
		}
		if err := wait(ctx, pause); err != nil {
			unix.Close(fd)
			return -1, fmt.Errorf("lock %s: %w", dir, err)
		}
	}
}

// prepareDir makes Dir a shared mount, as iproute2 does it: names made later then show in other mount namespaces that
// have it. Under the lock, since parallel first comers would each mount it once more, until the machine stands still
// (Debian bug 949235). The mount is private before it is shared: a copy of a shared /run would be in the same peer
// group, and every name would be mounted twice.
func prepareDir(ctx context.Context) error {
	if err := unix.Mkdir(Dir, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	lock, err := lockDir(ctx, Dir)
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	if err := unix.Mount("", Dir, "", unix.MS_SHARED, ""); !errors.Is(err, unix.EINVAL) {
		return err
	}
	if err := unix.Mount(Dir, Dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	if err := unix.Mount("", Dir, "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return err
	}
	return unix.Mount("", Dir, "", unix.MS_SHARED|unix.MS_REC, "")
}

// repair removes a stale name, and fails with fs.ErrExist where something else sits there. The directory's lock keeps
// other repairers and deleters away: between looking and removing, a name may have been repaired and made again.
func repair(ctx context.Context, path string) error {
	for {
		f, err := settle(ctx, path)
		if err != nil {
			return err
		}
		f.close()
		switch f.condition {
		case absent:
			return nil
		case stale:
		default:
			return fs.ErrExist
		}
		done, err := removeStale(ctx, path)
		if done || err != nil {
			return err
		}
	}
}

// removeStale looks again under the lock; done is false when the name is no longer stale.
func removeStale(ctx context.Context, path string) (done bool, err error) {
	lock, err := lockDir(ctx, filepath.Dir(path))
	if err != nil {
		return false, err
	}
	defer unix.Close(lock)
	f, err := look(path)
	if err != nil {
		return false, err
	}
	defer f.close()
	if f.condition != stale {
		return f.condition == absent, nil
	}
	if err := unix.Unlink(path); err != nil && !errors.Is(err, unix.ENOENT) {
		return false, err
	}
	return true, nil
}
