package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"warren/state"
)

// procBatch is how many namespaces are looked at through one mount of proc, see [proc].
const procBatch = 48

// A proc is a way to /proc/sys, for visits to many namespaces in a row.
//
// The kernel keeps one directory entry "ipv6" (and one "ipv4", "core" ...) below /proc/sys/net for every network namespace,
// all under the same name, and so in one chain of its hash table: a look-up walks past the entries of all others, 0.1 us
// each. With 1,000 namespaces a read costs 80 us and a first write 150 us (Linux 6.18). A new instance of proc has empty
// chains. So a fresh one that is attached nowhere (fsopen(2), Linux 5.2; instances are separate since 5.8) is used for a
// few dozen namespaces and thrown away: 40 us. Where that is not allowed the usual /proc does.
//
// The zero value uses /proc. The thread that calls decides which namespace is seen, whatever the instance.
type proc struct {
	fresh bool
	fd    int // 0 = none
	left  int
	dir   directory
	files netFiles
}

// A directory is the one of the sysctl that was read last, in the namespace that the thread is in: sysctls that follow each
// other are mostly of the same.
type directory struct {
	name string
	fd   int // 0 = none
	err  error
}

// newProc makes a proc for visits to n namespaces.
func newProc(n int) *proc { return &proc{fresh: n >= procBatch/2} }

// next is called before each namespace.
func (p *proc) next() {
	if !p.fresh {
		return
	}
	if p.left--; p.left > 0 {
		return
	}
	p.close()
	fd, err := mountProc()
	if err != nil {
		p.fresh = false // not allowed here: it will not be the next time
		return
	}
	p.fd, p.left = fd, procBatch
}

func (p *proc) close() {
	p.leave()
	if p.fd > 0 {
		_ = unix.Close(p.fd)
		p.fd = 0
	}
}

// leave is called before the thread goes elsewhere.
func (p *proc) leave() {
	if p.dir.fd > 0 {
		_ = unix.Close(p.dir.fd)
	}
	p.dir = directory{}
}

// openIn opens a sysctl by way of its directory.
func (p *proc) openIn(key string) (int, error) {
	dir, name, ok := cutLast(key)
	if !ok || checkSysctl(key) != nil {
		return p.open(key, unix.O_RDONLY)
	}
	if p.dir.name != dir {
		p.leave()
		p.dir.name = dir
		p.dir.fd, p.dir.err = p.open(dir, unix.O_PATH|unix.O_DIRECTORY)
	}
	if p.dir.err != nil {
		return -1, p.dir.err
	}
	for {
		fd, err := unix.Openat(p.dir.fd, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

func cutLast(key string) (dir, name string, ok bool) {
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return "", "", false
	}
	return key[:i], key[i+1:], true
}

func mountProc() (int, error) { return mountFS("proc") }

// mountFS makes an instance of a file system of the kernel's that is attached nowhere.
func mountFS(name string) (int, error) {
	fs, err := unix.Fsopen(name, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		return 0, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
}

func (p *proc) open(key string, flags int) (int, error) {
	if err := checkSysctl(key); err != nil {
		return 0, err
	}
	for {
		var fd int
		var err error
		if p.fd > 0 {
			fd, err = unix.Openat(p.fd, "sys/"+key, flags|unix.O_CLOEXEC, 0)
		} else {
			fd, err = unix.Open("/proc/sys/"+key, flags|unix.O_CLOEXEC, 0)
		}
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// checkSysctl allows only what is below net/: nothing else belongs to a network namespace.
func checkSysctl(key string) error {
	rest, ok := strings.CutPrefix(key, "net/")
	if !ok {
		return fmt.Errorf("sysctl %q is not one of a network namespace (they start with net/): %w", key, unix.EINVAL)
	}
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" || part == "." || part == ".." || strings.IndexByte(part, 0) >= 0 {
			return fmt.Errorf("sysctl %q is not a path: %w", key, unix.EINVAL)
		}
	}
	return nil
}

// read returns a value, without the newline at its end. ok is false when the kernel has no such sysctl.
func (p *proc) read(key string) (value string, ok bool, err error) {
	fd, err := p.openIn(key)
	switch {
	case errors.Is(err, unix.ENOENT):
		if ipv6Off(state.Sysctl{Key: key, Value: "1"}) {
			return "1", true, nil // a kernel without IPv6
		}
		return "", false, nil
	case err != nil:
		return "", false, err
	}
	defer unix.Close(fd)
	var small [256]byte
	for buf := small[:]; ; buf = make([]byte, 8*len(buf)) {
		n, err := unix.Pread(fd, buf, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			buf = small[:len(small)/8]
		case err != nil:
			return "", false, err
		case n < len(buf) || n >= 1<<16:
			return string(bytes.TrimRight(buf[:n], "\n")), true, nil
		}
	}
}

// write sets a value. Blanks may stand for tabs.
func (p *proc) write(s state.Sysctl) error {
	fd, err := p.open(s.Key, unix.O_WRONLY)
	if errors.Is(err, unix.ENOENT) && ipv6Off(s) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for {
		_, err := unix.Write(fd, []byte(s.Value))
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// ipv6Off reports whether a sysctl switches IPv6 off. On a kernel that has no IPv6 that is true already.
func ipv6Off(s state.Sysctl) bool {
	return s.Value == "1" && strings.HasPrefix(s.Key, "net/ipv6/conf/") && strings.HasSuffix(s.Key, "/disable_ipv6") && !haveIPv6()
}

// haveIPv6 reports whether the kernel has IPv6.
func haveIPv6() bool {
	var st unix.Stat_t
	return unix.Stat("/proc/sys/net/ipv6", &st) == nil
}
