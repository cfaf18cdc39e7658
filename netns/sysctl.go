package netns

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// SetSysctl writes a value below /proc/sys of the namespace; the key has slashes: "net/ipv4/conf/eth0.5/forwarding".
func (h *Handle) SetSysctl(key, value string) error {
	return h.Do(func() error { return writeSysctl(key, value) })
}

// Sysctl reads a value below /proc/sys of the namespace, without the newline.
func (h *Handle) Sysctl(key string) (value string, err error) {
	err = h.Do(func() (err error) {
		value, err = readSysctl(key)
		return err
	})
	return value, err
}

// writeSysctl writes on the calling thread: /proc/sys/net is the thread's own, while /proc/net is the process's. Plain
// system calls: a file of package os would be handed to the poller, for nothing.
func writeSysctl(key, value string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	fd, err := openRetry("/proc/sys/"+key, unix.O_WRONLY|unix.O_CLOEXEC)
	if err != nil {
		return fmt.Errorf("set sysctl %s to %q: %w", key, value, err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(value)); err != nil {
		return fmt.Errorf("set sysctl %s to %q: %w", key, value, err)
	}
	return nil
}

func readSysctl(key string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	fd, err := openRetry("/proc/sys/"+key, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("read sysctl %s: %w", key, err)
	}
	defer unix.Close(fd)
	var buf [4096]byte // no value of the network's is longer
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return "", fmt.Errorf("read sysctl %s: %w", key, err)
	}
	return strings.TrimSuffix(string(buf[:n]), "\n"), nil
}

// checkKey keeps a sysctl's key below /proc/sys.
func checkKey(key string) error {
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsRune(part, 0) {
			return &OpError{Op: "find sysctl of", Object: key, Kind: ErrBadName}
		}
	}
	return nil
}
