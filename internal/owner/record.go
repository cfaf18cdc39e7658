package owner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mostRecord is how much of a container's record is read: it is in the hands of others.
const mostRecord = 4 << 20

// ReadRecord reads a file in which an engine keeps a name, if it is an ordinary file: without waiting for anybody. It is what
// [NewHints] wants on a host.
func ReadRecord(path string) ([]byte, error) {
	f, err := openBelow(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !fi.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, mostRecord+1))
	if err == nil && len(b) > mostRecord {
		err = errors.New("too long")
	}
	return b, err
}

// openBelow opens a file for reading. Below /proc/PID/root links lead where they lead that process (openat2(2), Linux 5.6).
func openBelow(path string) (*os.File, error) {
	const how = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	root, rest, ok := strings.Cut(path, "/root/")
	if !ok || !strings.HasPrefix(root, "/proc/") {
		return os.OpenFile(path, how, 0)
	}
	dir, err := unix.Open(root+"/root", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat2(dir, rest, &unix.OpenHow{Flags: how, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}
