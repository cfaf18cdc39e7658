package cli

import (
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A screen is a terminal on which a text is written in place, again and again. It is nil for what is no terminal.
type screen struct {
	out *os.File
}

// screen opens one on standard output (the alternate screen of xterm, so that what stood there comes back).
func (a *app) screen() *screen {
	if _, ok := terminal(a.Out); !ok || os.Getenv("TERM") == "dumb" {
		return nil
	}
	f, _ := a.Out.(*os.File)
	if _, err := io.WriteString(f, "\x1b[?1049h\x1b[?25l"); err != nil {
		return nil
	}
	return &screen{out: f}
}

// show writes as many lines as there is room for, each cut at the edge, over what was there.
func (s *screen) show(text string) error {
	rows, columns := 24, 80
	if size, err := unix.IoctlGetWinsize(int(s.out.Fd()), unix.TIOCGWINSZ); err == nil && size.Row > 0 && size.Col > 0 {
		rows, columns = int(size.Row), int(size.Col)
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	n := 0
	for line := range strings.Lines(text) {
		if n == rows {
			break
		}
		if n > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString(cutVisible(strings.TrimRight(line, "\n"), columns) + "\x1b[K")
		n++
	}
	b.WriteString("\x1b[J")
	_, err := io.WriteString(s.out, b.String())
	return err
}

// cutVisible cuts a line at so many columns; escape sequences take none.
func cutVisible(line string, columns int) string {
	n, inEscape, styled := 0, false, false
	for i, r := range line {
		switch {
		case r == '\x1b':
			inEscape, styled = true, true
		case inEscape:
			inEscape = r != 'm'
		case n == columns && styled:
			return line[:i] + "\x1b[0m"
		case n == columns:
			return line[:i]
		default:
			n++
		}
	}
	return line
}

// leave brings back what stood on the terminal before.
func (s *screen) leave() {
	if s != nil {
		_, _ = io.WriteString(s.out, "\x1b[?25h\x1b[?1049l") // nothing is left to do when that fails
	}
}

// keys are what is typed at a terminal, each at once and unseen, until it is closed. Ctrl-C stays the signal that it is.
type keys struct {
	in   *os.File
	was  unix.Termios
	stop chan struct{}
	done chan struct{}
}

// onKey calls f for each byte that is typed; nil when in is no terminal, or it is somebody else's turn to read from it (a
// program in the background that changed the terminal would be stopped, termios(3)).
func onKey(in io.Reader, f func(key byte)) *keys {
	file, isFile := in.(*os.File)
	if !isFile {
		return nil
	}
	fd := int(file.Fd())
	was, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil
	}
	if front, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP); err != nil || front != unix.Getpgrp() {
		return nil
	}
	now := *was
	now.Lflag &^= unix.ICANON | unix.ECHO
	now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 0, 1 // a read waits for a tenth of a second at most
	if unix.IoctlSetTermios(fd, unix.TCSETS, &now) != nil {
		return nil
	}
	k := &keys{in: file, was: *was, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(k.done)
		var b [1]byte
		for {
			select {
			case <-k.stop:
				return
			default:
			}
			n, err := unix.Read(fd, b[:])
			switch {
			case n == 1:
				f(b[0])
			case err != nil && !errors.Is(err, unix.EINTR):
				return // hung up: a signal says so
			}
		}
	}()
	return k
}

// close gives the terminal back as it was.
func (k *keys) close() {
	if k == nil {
		return
	}
	close(k.stop)
	<-k.done
	_ = unix.IoctlSetTermios(int(k.in.Fd()), unix.TCSETS, &k.was) // nothing is left to do when that fails
}
