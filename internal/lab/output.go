package lab

import (
	"bytes"
	"errors"
	"os"
	"time"
)

// output makes the pipe that the service writes to, and reads it into the log.
func (v *service) output() (*pump, error) {
	w := &logWriter{max: v.spec.LogBytes, now: time.Now}
	if w.max == 0 {
		w.max = defaultLogBytes
	}
	switch v.spec.Log {
	case "none":
	case "":
		if err := os.Mkdir(v.s.dir.file(logsDir), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		w.path = v.s.dir.file(logsDir) + "/" + logFile(v.id)
	default:
		w.path, w.plain = v.spec.Log, true
	}
	if w.path != "" {
		if err := w.open(); err != nil {
			return nil, err
		}
	}
	if v.spec.Ready.Kind == "log" {
		text := []byte(v.spec.Ready.Text)
		w.seen = func(b []byte) {
			if bytes.Contains(b, text) {
				v.heardOnce.Do(func() { close(v.heard) })
			}
		}
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		w.Close()
		return nil, err
	}
	p := &pump{r: pr, w: pw, done: make(chan struct{})}
	go p.run(w)
	return p, nil
}

// A pump copies from a pipe to a log.
type pump struct {
	r, w *os.File
	done chan struct{}
}

func (p *pump) run(w *logWriter) {
	defer close(p.done)
	defer w.Close()
	defer p.r.Close()
	buf := make([]byte, 4096)
	for {
		n, err := p.r.Read(buf)
		w.Write(buf[:n])
		if err != nil {
			return
		}
	}
}

// end waits until all was read. Somebody outside of the service may hold the pipe open: after a moment that is the end.
func (p *pump) end() {
	_ = p.w.Close()
	_ = p.r.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	<-p.done
}
