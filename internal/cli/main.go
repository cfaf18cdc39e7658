package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Stdio is where a command reads and writes.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs the command line args (without the program's name) and returns its exit status.
func Main(args []string, stdio Stdio) int {
	if speaks(args) {
		return mainGrammar(args, stdio)
	}
	a := &app{Stdio: stdio, args: args}
	root := a.root(args)
	if args == nil {
		args = []string{} // nil means os.Args to cobra
	}
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	a.endProgress()
	status := a.finish(err)
	a.world.Leave()
	a.dieAlike()
	return status
}

// Command returns the tree of commands, for whoever writes manual pages of it.
func Command() *cobra.Command {
	a := &app{Stdio: Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}}
	return a.root(nil)
}

// An exit is a status without an error that is still to be printed: everything is said already.
type exit struct{ status int }

func (e exit) Error() string { return "exit status" }

// A usageError is a mistake on the command line.
type usageError struct {
	err  error
	path string // of the command, for the hint
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// finish prints an error and turns it into an exit status.
func (a *app) finish(err error) int {
	var e exit
	var usage usageError
	var own interface{ ExitCode() int } // of a command that exec could not start: 126, 127
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.status
	case errors.As(err, &usage):
		a.printError(err)
		a.printHint(usage.path + " --help")
		if usage.path == "warren plan" {
			return 1 // there 2 means changes
		}
		return 2
	case errors.As(err, &own):
		a.printError(err)
		return own.ExitCode()
	}
	a.printError(err)
	return 1
}
