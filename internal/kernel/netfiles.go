package kernel

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// netFiles reads small files below /proc/net of the calling thread, on one thread that goes from namespace to namespace: the
// directory is opened once, and shows the namespace that its thread is in at the moment of a look (proc_tgid_net_lookup in
// fs/proc/proc_net.c). The zero value is ready.
type netFiles struct {
	dir int // 0 = not yet open
	buf [1024]byte
}

// ofThread is where the files of the calling thread's namespace are.
const ofThread = "/proc/thread-self/net"

func (f *netFiles) close() {
	if f.dir > 0 {
		_ = unix.Close(f.dir)
	}
	f.dir = 0
}

// read returns the contents, which hold until the next read.
func (f *netFiles) read(name string) ([]byte, error) {
	if f.dir <= 0 {
		dir, err := unix.Open(ofThread, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: ofThread, Err: err}
		}
		f.dir = dir
	}
	fd, err := unix.Openat(f.dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: ofThread + "/" + name, Err: err}
	}
	defer unix.Close(fd)
	for buf := f.buf[:0]; ; {
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, &os.PathError{Op: "read", Path: ofThread + "/" + name, Err: err}
		case n == 0:
			return buf, nil
		default:
			buf = slices.Grow(buf[:len(buf)+n], 512)
		}
	}
}
