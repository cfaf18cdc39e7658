package cli

import (
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
	n, inEscape := 0, false
	for i, r := range line {
		switch {
		case r == '\x1b':
			inEscape = true
		case inEscape:
			inEscape = r != 'm'
		case n == columns:
			return line[:i] + "\x1b[0m"
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
