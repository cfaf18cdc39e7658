package lab

import (
	"bytes"
	"errors"
	"os"
	"time"
)

const (
	defaultLogBytes = 4 << 20
	maxLogLine      = 16 << 10 // a longer one is cut into several
)

// A logWriter takes what a service writes. In the run directory every line gets the time in front of it, and a file that
// has grown too large is renamed to NAME.1: the run directory is memory.
type logWriter struct {
	path    string // "" = nowhere
	plain   bool   // a file of the user's: as it is, and never renamed
	max     int64
	f       *os.File
	size    int64
	partial []byte
	// seen is called with everything that may hold a line or its beginning, before it is written.
	seen func([]byte)
	now  func() time.Time
}

func (w *logWriter) open() error {
	f, err := os.OpenFile(w.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.f, w.size = f, fi.Size()
	return nil
}

// Write splits into lines. It never fails: a log that cannot be written must not stop the service.
func (w *logWriter) Write(p []byte) {
	if w.plain && w.f != nil {
		_, _ = w.f.Write(p)
	}
	w.partial = append(w.partial, p...)
	for {
		i := bytes.IndexByte(w.partial, '\n')
		switch {
		case i >= 0:
			w.line(w.partial[:i])
			w.partial = append(w.partial[:0], w.partial[i+1:]...)
		case len(w.partial) > maxLogLine:
			w.line(w.partial)
			w.partial = w.partial[:0]
		default:
			if len(w.partial) > 0 {
				w.look(w.partial)
			}
			return
		}
	}
}

func (w *logWriter) look(b []byte) {
	if w.seen != nil {
		w.seen(b)
	}
}

func (w *logWriter) line(b []byte) {
	w.look(b)
	if w.plain || w.path == "" {
		return
	}
	if w.f == nil || w.size+int64(len(b)) > w.max {
		w.rotate()
	}
	if w.f == nil {
		return
	}
	rec := append(w.now().UTC().AppendFormat(nil, logTime), ' ')
	rec = append(append(rec, bytes.TrimSuffix(b, []byte{'\r'})...), '\n')
	n, _ := w.f.Write(rec)
	w.size += int64(n)
}

// logTime has a fixed width, so that text order is time order.
const logTime = "2006-01-02T15:04:05.000000Z"

func (w *logWriter) rotate() {
	if w.f != nil {
		_ = w.f.Close()
		w.f = nil
		if w.size > 0 && os.Rename(w.path, w.path+".1") != nil {
			_ = os.Remove(w.path)
		}
	}
	_ = w.open() // when it fails the next line tries again
}

// Close writes a last line without an end.
func (w *logWriter) Close() {
	if len(w.partial) > 0 {
		w.line(w.partial)
		w.partial = nil
	}
	if w.f != nil {
		_ = w.f.Close()
	}
}
