package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"warren"
)

func (a *app) run() *cobra.Command {
	var e editing
	var flags nodeFlags
	var env []string
	var spec warren.RunSpec
	var name string
	c := &cobra.Command{
		Use:     "run [flags] [--] COMMAND [ARG...]",
		GroupID: groupRooms,
		Short:   "Run a command in a network of its own",
		Long: `Make a node, run a command in it in the foreground, and remove the node when the command ends: a program gets addresses
of its own, a way out, and published ports, and leaves nothing behind. Terminal, standard input, signals and exit status are
the command's. Everything else that still runs in the node when the command ends is ended; also when this program is killed.

With --detach the command is left running as the node's service "run", and the node's name is printed: see "warren logs" and
"warren status", and end it with "warren rm".

` + editHelp + `

Exit status: the command's own, by the same signal where one ended it; 127 it is missing, 126 it cannot be run; 1 the node
cannot be made, 2 wrong usage.`,
		Example: `  warren run -p 8080:80 -- python3 -m http.server 80
  warren run -- curl http://example.org/
  warren run --no-uplink -- ./untrusted       with a loopback interface and nothing else
  warren run --net back --ip 10.193.0.7/16 --name db -- postgres -D data
  warren run -d --name web -p 8080:80 -- nginx -g 'daemon off;'`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(c, "run: a command is missing: warren run [flags] -- COMMAND [ARG...]")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if e.asJSON && !spec.Detach {
				return usagef(c, "run: --json goes with --detach: otherwise standard output is the command's")
			}
			if err := a.checkWait(c, &e); err != nil {
				return err
			}
			node := name
			var err error
			if node != "" {
				if node, err = e.node(c, name); err != nil {
					return err
				}
			}
			if spec.NodeSpec, err = flags.spec(c, node); err != nil {
				return err
			}
			if spec.Env, err = environment(c, env, spec.Detach); err != nil {
				return err
			}
			spec.EditOptions, spec.Argv = e.opt, args
			return a.runIn(c.Context(), spec, e.asJSON)
		},
		DisableFlagsInUseLine: true,
	}
	c.Flags().SetInterspersed(false) // what follows COMMAND is its own
	c.Flags().StringVar(&name, "name", "", "name of the node (default: made from the command's)")
	c.Flags().BoolVarP(&spec.Detach, "detach", "d", false, "leave the command running as a service, and print the node's name")
	c.Flags().StringArrayVarP(&env, "env", "e", nil, "NAME=VALUE in the command's environment, or NAME with the value that it has here (may be repeated)")
	c.Flags().StringVarP(&spec.Dir, "dir", "C", "", "change to this directory first")
	_ = c.MarkFlagDirname("dir") // the flag exists
	for _, f := range []string{"name", "env"} {
		a.completeFlag(c, f, fixed())
	}
	a.nodeFlags(c, &flags)
	a.editFlags(c, &e)
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return c
}

// environment is the command's: in the foreground the caller's with what is added, detached only the latter.
func environment(c *cobra.Command, add []string, detached bool) ([]string, error) {
	var out []string
	if !detached {
		out = os.Environ()
	}
	for _, e := range add {
		name, _, hasValue := strings.Cut(e, "=")
		switch value, ok := os.LookupEnv(name); {
		case name == "":
			return nil, usagef(c, "run: --env %q is not NAME=VALUE", e)
		case hasValue:
			out = append(out, e)
		case ok:
			out = append(out, name+"="+value)
		}
	}
	return out, nil
}

// passedOn are the signals that people and programs send to a program in the foreground.
func passedOn() []os.Signal {
	all := []os.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM}
	var out []os.Signal
	for _, s := range all {
		if !signal.Ignored(s) { // what was ignored from the beginning (nohup) stays so, for the command too
			out = append(out, s)
		}
	}
	return out
}

// runIn runs the command. Signals are the command's, from before the node is made.
func (a *app) runIn(ctx context.Context, spec warren.RunSpec, asJSON bool) error {
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, passedOn()...)
	defer signal.Stop(signals)
	if spec.Detach {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
		defer stop()
	}
	spec.Signals = signals
	spec.Started = func(warren.NodeStatus) { a.endProgress() }
	result, err := w.Run(ctx, spec)
	a.endProgress()
	if result.Edit != nil && err == nil {
		for _, n := range result.Edit.Notes {
			a.note("%s", n)
		}
	}
	switch {
	case err != nil:
		return err
	case spec.Detach && asJSON:
		return a.printJSON(result)
	case spec.Detach:
		_, err := fmt.Fprintln(a.Out, result.Node)
		return err
	case result.Status == 0:
		return nil
	}
	a.died = result.Signal
	return exit{result.Status}
}

// dieAlike ends this process by the signal that ended the command, so that whoever waits sees what it would have seen: a shell
// ends its script at Ctrl-C. Signals that leave a core, and one that cannot be had by asking, stay an exit status.
func (a *app) dieAlike() {
	switch a.died {
	case unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGKILL:
		signal.Reset(a.died)
		_ = unix.Kill(os.Getpid(), a.died)
		<-time.After(time.Second) // it arrives on whatever thread, unless it is ignored
	}
}

// attendName is the hidden command that waits beside a run.
const attendName = "@attend"

// attendant is how this program is started as one.
func (a *app) attendant() []string {
	argv := []string{"warren", attendName}
	if a.runDir != "" {
		argv = append(argv, "--run-dir="+a.runDir)
	}
	return argv
}

func (a *app) attend() *cobra.Command {
	return &cobra.Command{
		Use: attendName + " LAB", Hidden: true, Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			signal.Ignore(unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGTERM)
			const fd = 3
			unix.CloseOnExec(fd)
			pipe := os.NewFile(fd, "pipe")
			if pipe == nil {
				return errors.New("no pipe")
			}
			defer pipe.Close()
			w, err := a.open()
			if err != nil {
				return err
			}
			defer w.Close()
			return w.Attend(c.Context(), args[0], pipe)
		},
	}
}
