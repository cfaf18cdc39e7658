package iproute

import (
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupPath is the path of a cgroup v2 directory, from the root of the hierarchy.
func (s *ss) cgroupPath(id uint64) string {
	if p, ok := s.cgroups[id]; ok {
		return p
	}
	if s.cgroups == nil {
		s.cgroups = map[uint64]string{}
	}
	p := findCgroup(id)
	if p == "" {
		p = fmt.Sprintf("unreachable:%x", id)
	}
	s.cgroups[id] = p
	return p
}

// kernfsHandle is the type of a file handle that holds nothing but an inode number (FILEID_KERNFS).
const kernfsHandle = 0xfe

// findCgroup opens a cgroup by its number, and asks what it is called; "" when there is none.
func findCgroup(id uint64) string {
	mount, root, err := openCgroups()
	if err != nil {
		return ""
	}
	defer unix.Close(mount)
	h := unix.NewFileHandle(kernfsHandle, native.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(mount, h, unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	name, err := os.Readlink(fmt.Sprintf("/proc/thread-self/fd/%d", fd))
	if err != nil {
		return ""
	}
	return path.Join("/", strings.TrimPrefix(name, root))
}

// openCgroups opens the hierarchy where it is mounted or, when it is not, a mount of it that nobody else sees (fsopen(2),
// Linux 5.2).
func openCgroups() (fd int, root string, err error) {
	b, err := os.ReadFile("/proc/thread-self/mounts")
	if err != nil {
		return -1, "", err
	}
	for line := range strings.Lines(string(b)) {
		if w := strings.Fields(line); len(w) > 2 && w[2] == "cgroup2" {
			fd, err = unix.Open(w[1], unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			return fd, w[1], err
		}
	}
	fs, err := unix.Fsopen("cgroup2", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, "", err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, "", err
	}
	fd, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	return fd, "", err
}

// cgroupID is the number of a cgroup v2 directory.
func cgroupID(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, err
	}
	if fs.Type != unix.CGROUP2_SUPER_MAGIC {
		return 0, unix.EINVAL
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, err
	}
	return st.Ino, nil
}
