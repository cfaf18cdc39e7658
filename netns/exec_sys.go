package netns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mountSys puts a sysfs over /sys that shows the devices of the calling thread's network namespace. In the mount
// namespace of the program alone, the old one may stay below.
func mountSys(h *Handle, o *ExecOptions) error {
	if o.Sys == SysNone {
		return nil
	}
	var fs unix.Statfs_t
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Statfs("/sys", &fs); err == nil && fs.Flags&unix.ST_RDONLY != 0 {
		flags |= unix.MS_RDONLY
	}
	var trees []sysTree
	if o.Sys == SysKeep {
		trees = copySysTrees(o)
		defer func() {
			for _, t := range trees {
				unix.Close(t.fd)
			}
		}()
	}
	source := h.name
	if source == "" {
		source = "sysfs"
	}
	if err := unix.Mount(source, "/sys", "sysfs", flags, ""); err != nil {
		if o.Sys == SysFull {
			return opError("mount /sys for", h.ref, err)
		}
		o.warn(fmt.Errorf("/sys shows the devices of another network namespace: mount sysfs: %w", err))
		return nil
	}
	for _, t := range trees {
		if err := unix.MoveMount(t.fd, "", unix.AT_FDCWD, t.path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
			o.warn(fmt.Errorf("%s is lost: %w", t.path, err))
		}
	}
	return nil
}

// A sysTree is a copy of what is mounted on path, everything below it included.
type sysTree struct {
	path string
	fd   int
}

func copySysTrees(o *ExecOptions) []sysTree {
	paths, err := mountsBelow("/sys/")
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

// mountsBelow returns the topmost mount points whose path begins so.
func mountsBelow(prefix string) ([]string, error) {
	b, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	return topmost(b, prefix), nil
}

func topmost(mountinfo []byte, prefix string) []string {
	var paths []string
next:
	for line := range bytes.Lines(mountinfo) {
		if !bytes.Contains(line, []byte(" "+prefix)) {
			continue
		}
		f := strings.Fields(string(line))
		if len(f) < 5 || !strings.HasPrefix(f[4], prefix) {
			continue
		}
		path := unescape(f[4])
		for _, p := range paths { // a mount comes after the one that it is in
			if path == p || strings.HasPrefix(path, p+"/") {
				continue next
			}
		}
		paths = append(paths, path)
	}
	return paths
}
