package netns

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioctls of namespace files (linux/nsfs.h).
const (
	nsGetType = 0xb703     // NS_GET_NSTYPE, Linux 4.11
	nsGetID   = 0x8008b70d // NS_GET_ID, Linux 6.18: for a network namespace its cookie
)

// A Handle is an open network namespace, which lives at least as long. It may be used by several goroutines at once.
// Close it: a handle that is lost keeps its namespace in the kernel.
type Handle struct {
	fd     atomic.Int64
	ref    string // how the caller named it, for errors
	name   string // its name below Dir, or ""
	cookie uint64
	inode  uint64
	dev    uint64
	made   time.Time
}

// OpenPath opens the namespace that path is: a bind mount, or a file below /proc/PID/ns.
func OpenPath(path string) (*Handle, error) {
	h, err := openFile(path, path)
	if err != nil {
		return nil, err
	}
	if dir, name := filepath.Split(path); filepath.Clean(dir) == Dir {
		h.name = name
	}
	return h, nil
}

// stillNamed fails when the name that h was opened by does not lead to its namespace any more.
func (h *Handle) stillNamed() error {
	if h.name == "" {
		return nil
	}
	var st unix.Stat_t
	err := retry(func() error { return unix.Stat(filepath.Join(Dir, h.name), &st) })
	if err == nil && (st.Ino != h.inode || st.Dev != h.dev) {
		err = unix.ENOENT
	}
	if err != nil {
		return opError("enter", h.ref, err)
	}
	return nil
}

// Current opens the namespace that this program runs in.
func Current() (*Handle, error) { return openFile("/proc/thread-self/ns/net", "host") }

// openFile opens path, having asked first whether it is a namespace at all: merely opening can have effects.
func openFile(path, ref string) (*Handle, error) {
	var fs unix.Statfs_t
	if err := retry(func() error { return unix.Statfs(path, &fs) }); err != nil {
		return nil, opError("open", ref, err)
	}
	// Files below /proc are links that Statfs follows to the namespace's own file system.
	if fs.Type != unix.NSFS_MAGIC {
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrNotNamespace, Hint: halfMade(path)}
	}
	fd, err := openRetry(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK)
	if err != nil {
		return nil, opError("open", ref, err)
	}
	return newHandle(fd, ref)
}

// newHandle takes a descriptor over; on error it is closed.
func newHandle(fd int, ref string) (*Handle, error) {
	kind, err := unix.IoctlRetInt(fd, nsGetType)
	if err != nil || kind != unix.CLONE_NEWNET {
		unix.Close(fd)
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrNotNamespace}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, opError("open", ref, err)
	}
	h := &Handle{ref: ref, inode: st.Ino, dev: st.Dev, made: time.Unix(st.Mtim.Unix())}
	h.fd.Store(int64(fd))
	var id uint64
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), nsGetID, uintptr(unsafe.Pointer(&id))); errno == 0 {
		h.cookie = id
		return h, nil
	}
	// Before Linux 6.18 only a socket inside tells. Without the right to enter (or before 5.14) it stays unknown.
	s, err := h.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err == nil {
		h.cookie = socketCookie(s)
		unix.Close(s)
	}
	return h, nil
}

// socketCookie asks for the cookie of the namespace that a socket was made in; 0 = the kernel does not tell.
func socketCookie(fd int) uint64 {
	c, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return 0
	}
	return c
}

// FD is the descriptor, valid until Close; -1 afterwards.
func (h *Handle) FD() int { return int(h.fd.Load()) }

// Cookie is the namespace's identity (SO_NETNS_COOKIE, Linux 5.14): never used again while the machine runs. 0 where the
// kernel does not tell it, which before Linux 6.18 includes namespaces that the caller may not enter.
func (h *Handle) Cookie() uint64 { return h.cookie }

// Inode is the number that ls -l /proc/PID/ns shows. The kernel uses it again when the namespace is gone, so it
// identifies the namespace only while this handle is open.
func (h *Handle) Inode() uint64 { return h.inode }

// Made is when the file of the namespace came to be, unless its time was changed: when the namespace was mounted on a name,
// or first opened.
func (h *Handle) Made() time.Time { return h.made }

// Name is the name below [Dir] that the namespace was opened or created by, or "".
func (h *Handle) Name() string { return h.name }

// String is how the caller named the namespace.
func (h *Handle) String() string { return h.ref }

// Same reports whether both are one namespace.
func (h *Handle) Same(o *Handle) bool { return h.inode == o.inode && h.dev == o.dev }

// Close gives the namespace up. Sockets inside stay. Closing twice does no harm.
func (h *Handle) Close() error {
	fd := h.fd.Swap(-1)
	if fd < 0 {
		return nil
	}
	return unix.Close(int(fd))
}

// halfMade explains a file that is no namespace though it sits where names are.
func halfMade(path string) string {
	if strings.HasPrefix(path, Dir+"/") {
		return "the name was left half-made or hides behind another mount namespace; deleting or creating it repairs it"
	}
	return ""
}

// retry repeats what a signal interrupted.
func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func openRetry(path string, flags int) (fd int, err error) {
	err = retry(func() (err error) {
		fd, err = unix.Open(path, flags, 0)
		return err
	})
	return fd, err
}

// fdPath is a path that leads to what fd is open on.
func fdPath(fd int) string { return fmt.Sprintf("/proc/thread-self/fd/%d", fd) }
