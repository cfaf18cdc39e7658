package cli

import (
	"io"
	"time"

	"warren"
)

// CutHint is cutHint, for tests.
func CutHint(line string) (text, hint string) { return cutHint(line) }

// Duration is duration, for tests.
func Duration(d time.Duration) string { return duration(d) }

// IsFile is isFile, for tests.
func IsFile(arg string) bool { return isFile(arg) }

// ASCII is ascii, for tests.
func ASCII() bool { return ascii() }

// Finish prints an error as Main does and returns the exit status.
func Finish(w io.Writer, err error) int { return (&app{Stdio: Stdio{Err: w}}).finish(err) }

// Progress shows events as a command does, and ends.
func Progress(w io.Writer, events ...warren.Event) {
	a := &app{Stdio: Stdio{Err: w}}
	for _, e := range events {
		a.showProgress(e)
	}
	a.endProgress()
}

// Table writes a table with two columns.
func Table(w io.Writer, color bool, rows ...[2]string) {
	t := table{head: []string{"ONE", "TWO"}}
	for _, r := range rows {
		t.add(r[0], r[1])
	}
	t.write(w, style(color))
}
