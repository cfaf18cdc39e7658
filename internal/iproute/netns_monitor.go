package iproute

import (
	"bytes"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// netnsMonitor tells of names that come and go, until it is stopped. Other than ip it writes each line at once.
func netnsMonitor(s *session, _ *words) {
	if err := os.MkdirAll(netns.Dir, 0o755); err != nil {
		fail(exitFailed, "mkdir %s failed: %s", netns.Dir, errnoText(err))
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		fail(exitFailed, "inotify_init failed: %s", errnoText(err))
	}
	f := os.NewFile(uintptr(fd), "inotify")
	defer f.Close()
	if _, err := unix.InotifyAddWatch(fd, netns.Dir, unix.IN_CREATE|unix.IN_DELETE); err != nil {
		fail(exitFailed, "inotify_add_watch failed: %s", errnoText(err))
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-s.ctx.Done():
			f.Close()
		case <-done:
		}
	}()
	buf := make([]byte, 64*1024)
	for {
		n, err := f.Read(buf)
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			fail(exitFailed, "read failed: %s", errnoText(err))
		}
		s.tell(buf[:n])
	}
}

// tell writes the events of struct inotify_event one after the other.
func (s *session) tell(b []byte) {
	for len(b) >= unix.SizeofInotifyEvent {
		mask := native.Uint32(b[4:])
		end := unix.SizeofInotifyEvent + int(native.Uint32(b[12:]))
		if end > len(b) {
			return
		}
		name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:end], []byte{0})
		b = b[end:]
		switch {
		case mask&unix.IN_CREATE != 0:
			s.settled(string(name))
			s.announce("add", string(name))
		case mask&unix.IN_DELETE != 0:
			s.announce("delete", string(name))
		}
	}
}

// settled waits until a new name can be entered: whoever makes it holds a lock on the directory (ip) or on the file (we) until
// the namespace is mounted. A file that is nobody's does not hold the line up.
func (s *session) settled(name string) {
	for _, path := range []string{netns.Dir, filepath.Join(netns.Dir, name)} {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		if err := unix.Flock(fd, unix.LOCK_SH); err == nil {
			_ = unix.Flock(fd, unix.LOCK_UN)
		}
		unix.Close(fd)
	}
}
