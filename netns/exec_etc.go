package netns

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// OverlayDir holds a directory for each name whose files are laid over those in /etc (ip-netns(8)).
const OverlayDir = "/etc/netns"

// An overlay is a file or directory that is to be seen at another path.
type overlay struct {
	source string
	target string // in /etc
}

// findOverlays lists what is to be mounted over /etc.
func findOverlays(h *Handle, o *ExecOptions) []overlay {
	var list []overlay
	if o.Hosts != "" {
		list = append(list, overlay{o.Hosts, "/etc/hosts"})
	}
	if o.ResolvConf != "" {
		list = append(list, overlay{o.ResolvConf, "/etc/resolv.conf"})
	}
	if h.name == "" {
		return list
	}
	dir := filepath.Join(OverlayDir, h.name)
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return list
	}
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		o.warn(err)
	}
	for _, f := range files {
		if name := f.Name(); (name != "hosts" || o.Hosts == "") && (name != "resolv.conf" || o.ResolvConf == "") {
			list = append(list, overlay{filepath.Join(dir, name), "/etc/" + name})
		}
	}
	return list
}

// mount lays source over target. A target that is a symbolic link is covered itself, not what it leads to: that file
// often belongs to a resolver and has other readers, or does not exist.
func (ov overlay) mount() error {
	source, err := unix.OpenTree(unix.AT_FDCWD, ov.source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	err = unix.MoveMount(source, "", unix.AT_FDCWD, ov.target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err == nil {
		return nil
	}
	// Nothing there to cover, or a kind that cannot be covered by this one: have an /etc where there is.
	var st unix.Stat_t
	missing := unix.Lstat(ov.target, &st) != nil
	if !missing && st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return err
	}
	if err := privateEtc(filepath.Base(ov.target), ov.source); err != nil {
		return err
	}
	return unix.MoveMount(source, "", unix.AT_FDCWD, ov.target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// privateEtc covers /etc with a tmpfs in which every entry leads to the old one, but name, which is new and of the same
// kind as source. Links stay links: those that lead to neighbours find them.
func privateEtc(name, source string) error {
	old, err := openRetry("/etc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(old)
	entries, err := os.ReadDir("/etc")
	if err != nil {
		return err
	}
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", "/etc", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return err
	}
	if err := emptyLike("/etc/"+name, info.IsDir()); err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == name {
			continue
		}
		if err := carryOver(old, e); err != nil {
			return &os.PathError{Op: "carry over", Path: "/etc/" + e.Name(), Err: err}
		}
	}
	return nil
}

func carryOver(old int, e os.DirEntry) error {
	target := "/etc/" + e.Name()
	if e.Type() == os.ModeSymlink {
		link, err := os.Readlink(fdPath(old) + "/" + e.Name())
		if err != nil {
			return err
		}
		return unix.Symlink(link, target)
	}
	tree, err := unix.OpenTree(old, e.Name(), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE|unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil // gone meanwhile
	}
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	if err := emptyLike(target, e.IsDir()); err != nil {
		return err
	}
	return unix.MoveMount(tree, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// emptyLike makes something to mount on.
func emptyLike(path string, dir bool) error {
	if dir {
		return unix.Mkdir(path, 0o755)
	}
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
