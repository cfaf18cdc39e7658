package netns

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mountsBelow returns the topmost mount points below a directory.
//
// On a host with 1,000 named namespaces reading /proc/PID/mountinfo takes milliseconds, as long as all the rest of
// entering. listmount(2) and statmount(2), Linux 6.8, tell about the few that matter.
func mountsBelow(dir string) ([]string, error) {
	paths, err := listMounts(dir)
	if err != nil {
		b, err := os.ReadFile("/proc/thread-self/mountinfo")
		if err != nil {
			return nil, err
		}
		paths = parseMountPoints(b)
	}
	return topmost(paths, dir+"/"), nil
}

// topmost keeps the paths that begin with prefix and are not below another one that does.
func topmost(paths []string, prefix string) []string {
	paths = slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return !strings.HasPrefix(p, prefix) })
	// With a slash at the end a path comes right before what is below it: "/a-b/" < "/a/" < "/a/b/".
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(a+"/", b+"/") })
	var top []string
	for _, p := range paths {
		if n := len(top); n == 0 || !strings.HasPrefix(p+"/", top[n-1]+"/") {
			top = append(top, p)
		}
	}
	return top
}

// parseMountPoints reads the format of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
func parseMountPoints(b []byte) []string {
	var paths []string
	for line := range bytes.Lines(b) {
		if f := bytes.Fields(line); len(f) > 4 {
			paths = append(paths, unescape(string(f[4])))
		}
	}
	return paths
}

// mountIDRequest is struct mnt_id_req (linux/mount.h) of Linux 6.8.
type mountIDRequest struct {
	size  uint32
	_     uint32
	id    uint64
	param uint64
}

const (
	statmountPoint = 0x10 // STATMOUNT_MNT_POINT
	// Offsets in struct statmount, which is 512 bytes long; the strings follow.
	statmountPointOffset = 108
	statmountStrings     = 512
)

// listMounts returns the paths of all that is mounted below the mount that path is in.
func listMounts(path string) ([]string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC, unix.STATX_MNT_ID_UNIQUE, &st); err != nil {
		return nil, err
	}
	if st.Mask&unix.STATX_MNT_ID_UNIQUE == 0 {
		return nil, errors.ErrUnsupported
	}
	var ids [512]uint64
	req := mountIDRequest{size: uint32(unsafe.Sizeof(mountIDRequest{})), id: st.Mnt_id}
	n, _, errno := unix.Syscall6(unix.SYS_LISTMOUNT, uintptr(unsafe.Pointer(&req)), uintptr(unsafe.Pointer(&ids)), uintptr(len(ids)), 0, 0, 0)
	if errno != 0 {
		return nil, errno
	}
	if int(n) == len(ids) {
		return nil, errors.ErrUnsupported // more than fit: the long way
	}
	paths := make([]string, 0, n)
	for _, id := range ids[:n] {
		p, err := mountPoint(id)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

func mountPoint(id uint64) (string, error) {
	var buf [statmountStrings + unix.PathMax]byte
	req := mountIDRequest{size: uint32(unsafe.Sizeof(mountIDRequest{})), id: id, param: statmountPoint}
	if _, _, errno := unix.Syscall6(unix.SYS_STATMOUNT, uintptr(unsafe.Pointer(&req)), uintptr(unsafe.Pointer(&buf)), uintptr(len(buf)), 0, 0, 0); errno != 0 {
		return "", errno
	}
	start := statmountStrings + int(binary.NativeEndian.Uint32(buf[statmountPointOffset:]))
	if start >= len(buf) {
		return "", errors.ErrUnsupported
	}
	path, _, ok := bytes.Cut(buf[start:], []byte{0})
	if !ok {
		return "", errors.ErrUnsupported
	}
	return string(path), nil
}
