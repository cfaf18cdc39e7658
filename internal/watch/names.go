package watch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A nameEvent is a change in the directory of names.
type nameEvent struct {
	name string // "" = look at all of the directory
	gone bool
}

// A nameWatch watches the directory of names, also one that is made later.
type nameWatch struct {
	file *os.File
	dir  string
	own  int // watch of the directory, -1 = it is not there
}

func watchNames(dir string) (*nameWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &nameWatch{file: os.NewFile(uintptr(fd), "inotify"), dir: dir, own: -1}
	parent := filepath.Dir(dir)
	if _, err := unix.InotifyAddWatch(fd, parent, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ONLYDIR); err != nil {
		return nil, errors.Join(&os.PathError{Op: "watch", Path: parent, Err: err}, w.file.Close())
	}
	if err := w.addDir(); err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	return w, nil
}

// addDir begins to watch the directory itself, when it is there.
func (w *nameWatch) addDir() error {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		const what = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_ONLYDIR
		var wd int
		wd, inner = unix.InotifyAddWatch(int(fd), w.dir, what)
		switch {
		case inner == nil:
			w.own = wd
		case errors.Is(inner, unix.ENOENT):
			inner = nil
		default:
			inner = &os.PathError{Op: "watch", Path: w.dir, Err: inner}
		}
	})
	return errors.Join(err, inner)
}

// receive waits for changes. Closing the file ends it.
func (w *nameWatch) receive() ([]nameEvent, error) {
	var buf [16 << 10]byte
	n, err := w.file.Read(buf[:])
	if err != nil {
		return nil, err
	}
	var list []nameEvent
	for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		end := unix.SizeofInotifyEvent + int(e.Len)
		if end > len(b) {
			break
		}
		name := string(bytes.TrimRight(b[unix.SizeofInotifyEvent:end], "\x00"))
		b = b[end:]
		switch {
		case e.Mask&unix.IN_Q_OVERFLOW != 0:
			list = append(list, nameEvent{})
		case int(e.Wd) != w.own: // the parent
			if name == filepath.Base(w.dir) {
				if err := w.addDir(); err != nil {
					return list, err
				}
				list = append(list, nameEvent{})
			}
		case e.Mask&(unix.IN_DELETE_SELF|unix.IN_IGNORED) != 0:
			w.own = -1
		case name != "":
			list = append(list, nameEvent{name: name, gone: e.Mask&(unix.IN_DELETE|unix.IN_MOVED_FROM) != 0})
		}
	}
	return list, nil
}
