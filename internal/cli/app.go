package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/rootless"
)

// An app is one run of the program.
type app struct {
	Stdio
	runDir   string
	noWait   bool
	progress progress
	args     []string        // without the program's name
	died     syscall.Signal  // of a command that was run: this process ends in the same way
	world    *rootless.World // an ordinary user's
}

// Point is handed to the facade (warren.Options): the seam of the tests that kill. It is nil but in their build.
var Point func(string)

// open opens the facade.
func (a *app) open() (*warren.Warren, error) {
	watchdog, err := a.watchdog()
	if err != nil {
		return nil, err
	}
	return warren.Open(warren.Options{RunDir: a.runDir, NoWait: a.noWait, Progress: a.showProgress, Point: Point, World: rootless.Directory(), Watchdog: watchdog, Attendant: a.attendant()})
}

// with opens the facade for f, with a context that ends with SIGINT, SIGTERM or SIGHUP: what was begun is then undone.
func (a *app) with(ctx context.Context, f func(context.Context, *warren.Warren) error) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	return f(ctx, w)
}

// withLab is with for what is done to the lab that was selected.
func (a *app) withLab(ctx context.Context, sel selection, f func(ctx context.Context, w *warren.Warren, name string) error) error {
	return a.with(ctx, func(ctx context.Context, w *warren.Warren) error {
		name, err := sel.name(ctx, w)
		if err != nil {
			return err
		}
		return f(ctx, w, name)
	})
}

// printJSON writes a value as one indented document.
func (a *app) printJSON(v any) error {
	a.endProgress()
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// terminal tells whether w is one, and how wide (columns; 0 = not known).
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile {
		return 0, false
	}
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return 0, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, true
	}
	return int(size.Col), true
}
