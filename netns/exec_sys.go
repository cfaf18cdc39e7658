package netns

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// mountSys puts a sysfs that shows the devices of the calling thread's network namespace in the place of /sys.
func mountSys(h *Handle, o *ExecOptions) error {
	if o.Sys == SysNone {
		return nil
	}
	// Made before the old one goes: if the kernel refuses, that one stays.
	fresh, err := newSysfs(h.name)
	if err != nil {
		if o.Sys == SysFull {
			return opError("mount /sys for", h.ref, err)
		}
		o.warn(fmt.Errorf("/sys shows the devices of another network namespace: mount sysfs: %w", err))
		return nil
	}
	defer unix.Close(fresh)
	var trees []sysTree
	if o.Sys == SysKeep {
		trees = copySysTrees(o)
		defer func() {
			for _, t := range trees {
				unix.Close(t.fd)
			}
		}()
	}
	// Refused in a user namespace, where the mounts of its creator are locked: then the old one stays below.
	_ = unix.Unmount("/sys", unix.MNT_DETACH)
	if err := unix.MoveMount(fresh, "", unix.AT_FDCWD, "/sys", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return opError("mount /sys for", h.ref, err)
	}
	for _, t := range trees {
		if err := unix.MoveMount(t.fd, "", unix.AT_FDCWD, t.path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			o.warn(fmt.Errorf("%s is lost: %w", t.path, err))
		}
	}
	return nil
}

// newSysfs makes a sysfs that is mounted nowhere yet (fsopen(2), Linux 5.2); read-only where the old one is. The source
// is what ip-netns(8) writes there, for people who look at the list of mounts.
func newSysfs(source string) (int, error) {
	if source == "" {
		source = "sysfs"
	}
	fs, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", source); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	attrs := unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	var old unix.Statfs_t
	if err := unix.Statfs("/sys", &old); err == nil && old.Flags&unix.ST_RDONLY != 0 {
		attrs |= unix.MOUNT_ATTR_RDONLY
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attrs)
}

// A sysTree is a copy of what is mounted on path, everything below it included.
type sysTree struct {
	path string
	fd   int
}

func copySysTrees(o *ExecOptions) []sysTree {
	paths, err := mountsBelow("/sys")
	if err != nil {
		o.warn(fmt.Errorf("what is mounted below /sys is lost: %w", err))
	}
	var trees []sysTree
	for _, p := range paths {
		fd, err := unix.OpenTree(unix.AT_FDCWD, p, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW)
		if errors.Is(err, unix.ENOENT) {
			continue // hidden by another mount
		}
		if err != nil {
			o.warn(fmt.Errorf("%s is lost: %w", p, err))
			continue
		}
		trees = append(trees, sysTree{path: p, fd: fd})
	}
	return trees
}
