package kerneltest

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// furnish sets up the mounts and the network of a fresh world.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", "/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := freshSys(flags); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	if err := os.Mkdir(tempDir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(marker, nil, 0o600); err != nil {
		return err
	}
	if err := netns.LoopbackUp(); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	for _, f := range []string{"ip", "ip6", "arp"} {
		// Bridged packets of a test are not to meet another test's rules; tests that want them to switch it on.
		err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-"+f+"tables", []byte("0"), 0)
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrPermission) {
			return err
		}
	}
	return moreFiles()
}

// freshSys mounts a sysfs that shows the new network namespace, and keeps the control groups.
func freshSys(flags uintptr) error {
	const cgroup = "/sys/fs/cgroup"
	tree, err := unix.OpenTree(unix.AT_FDCWD, cgroup, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("copy %s: %w", cgroup, err)
	}
	_ = unix.Unmount("/sys", unix.MNT_DETACH) // refused in a user namespace: then it stays below
	if err := unix.Mount("sysfs", "/sys", "sysfs", flags, ""); err != nil {
		return fmt.Errorf("mount /sys: %w", err)
	}
	if tree < 0 {
		return nil
	}
	defer unix.Close(tree)
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, cgroup, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("mount %s: %w", cgroup, err)
	}
	return nil
}

// moreFiles raises the hard limit of open files as far as root may: a test with 1,000 namespaces holds some thousands.
// (Go raises the soft limit by itself.)
func moreFiles() error {
	const want = 65536
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if l.Max >= want {
		return nil
	}
	err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: want, Max: want})
	if errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}
