package netns

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
)

// maxStacked bounds how many mounts are taken off one name. More than one is an accident of mount propagation.
const maxStacked = 64

// Delete takes a name away: it unmounts the namespace from path and removes the file. A name that is not there is no
// error (of the verbs of this project it is the one that means Remove), and a half-made one is removed as well. What no
// name is, a file with content or a directory, is refused with [ErrNotNamespace].
//
// The namespace itself lives as long as something else holds it (see [Holders]), and its links go some time after that
// (see [WaitGone]).
func Delete(ctx context.Context, path string) error {
	dir, err := checkPath(path)
	if err != nil {
		return err
	}
	for {
		f, err := settle(ctx, path)
		if err != nil {
			return opError("delete", path, err)
		}
		f.close()
		switch f.condition {
		case absent:
			return nil
		case foreign:
			return &OpError{Op: "delete", Object: path, Kind: ErrNotNamespace, Hint: "look what it is; it is no name of a namespace"}
		}
		done, err := deleteLocked(ctx, dir, path)
		if err != nil {
			return opError("delete", path, err)
		}
		if done {
			return nil
		}
	}
}

// deleteLocked unmounts and unlinks under the directory's lock, so that nobody takes the bare file in between for a
// stale one and makes a new name of it, which the unlink would hit.
func deleteLocked(ctx context.Context, dir, path string) (done bool, err error) {
	// Names elsewhere are their owner's business: a lab's hidden one lies in the directory that is the lab's lock, which
	// the caller holds.
	if dir == Dir {
		lock, err := lockDir(ctx, dir)
		if errors.Is(err, unix.ENOENT) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		defer unix.Close(lock)
	}
	f, err := look(path)
	if err != nil {
		return false, err
	}
	defer f.close()
	switch f.condition {
	case absent:
		return true, nil
	case mounted, stale:
	default:
		return false, nil
	}
	for range maxStacked {
		// UMOUNT_NOFOLLOW: of a symbolic link only the link goes.
		if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
				return false, err
			}
			break // not mounted (any more)
		}
	}
	if err := unix.Unlink(path); err != nil && !errors.Is(err, unix.ENOENT) {
		return false, err
	}
	return true, nil
}
