package cli_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/cli"
)

// terminal opens a pseudo-terminal (pts(4)) of so many columns. It returns the program's side, and a function that closes
// it and returns what was written.
func terminal(t *testing.T, columns uint16) (tty *os.File, written func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	return tty, func() string {
		if err := tty.Close(); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(master)
		if !errors.Is(err, unix.EIO) { // what a terminal says that nobody has open any more
			t.Fatal(err)
		}
		return string(all)
	}
}

// TestProgressOnATerminal: one line, written over, never longer than the terminal, gone at the end.
func TestProgressOnATerminal(t *testing.T) {
	tty, written := terminal(t, 30)
	synctest.Test(t, func(*testing.T) { // time stands still
		cli.Progress(tty,
			warren.Event{Lab: "shop", Phase: "apply", Done: 1, Total: 300, Text: "create namespace shop.web and more than fits"},
			warren.Event{Lab: "shop", Phase: "apply", Done: 2, Total: 300}, // too soon after the former: not drawn
			warren.Event{Lab: "shop", Phase: "verify", Text: "bell\a"})
	})
	got := written()
	want := "\r\x1b[Kshop: apply 1/300 create name\r\x1b[Kshop: verify bell \r\x1b[K"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestColourOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	for _, tt := range []struct {
		name, noColor string
		color         bool
	}{{"plain", "", true}, {"no-color", "1", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", tt.noColor)
			tty, written := terminal(t, 80)
			if got := cli.Main([]string{"frobnicate"}, cli.Stdio{In: strings.NewReader(""), Out: tty, Err: tty}); got != 2 {
				t.Errorf("status %d, want 2", got)
			}
			if got := written(); strings.Contains(got, "\x1b[31m") != tt.color {
				t.Errorf("colour %t: %q", tt.color, got)
			}
		})
	}
}

// TestHelpOfEveryCommand: help is no error and goes to standard output.
func TestHelpOfEveryCommand(t *testing.T) {
	for _, c := range cli.Command().Commands() {
		var out, err strings.Builder
		if got := cli.Main([]string{"help", c.Name()}, cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &err}); got != 0 {
			t.Errorf("help %s: status %d", c.Name(), got)
		}
		if err.Len() > 0 || !strings.Contains(out.String(), strings.SplitN(c.Long, "\n", 2)[0]) {
			t.Errorf("help %s prints %q and %q", c.Name(), out.String(), err.String())
		}
	}
}
