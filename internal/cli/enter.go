package cli

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"warren/netns"
)

func (a *app) enterCommand() *cobra.Command {
	var dir string
	var all bool
	set := map[netns.Kind]*bool{}
	c := &cobra.Command{
		Use:     "enter REF [--KIND...] [--] [COMMAND [ARG...]]",
		GroupID: groupRooms,
		Short:   "Run a command in the namespaces of a process or container",
		Long: `Run a command, or a shell ($SHELL, else /bin/sh), in other namespaces in place of this process: what nsenter does. By
default in the network namespace alone; --mount, --pid and so on add the process's other namespaces, --all all of them.
Unlike "warren exec", nothing is mounted and no file laid over: without --mount the command sees this system's /sys and /etc.

REF is pid:N or container:ID, where ID may also be the name that Docker, Podman, containerd or Kubernetes has for the container
or pod: of a pod its first container is entered. Or REF is a node or any other form that "warren exec" takes, which names a
network namespace alone.
The process is replaced: PID, signals and exit status are the command's own. With --pid the command has to be a child, since
nobody changes its own PID namespace: signals are passed on to it, and the exit status, or the signal that ended it, is its own.
A user namespace is joined by no Go program, which has threads: the error prints the nsenter line that does it. What the
process shares with the caller is passed over. Entering namespaces of a process needs Linux 5.8.
Exit status: the command's own; 127 it is missing, 126 it cannot be run; 1 no such namespace, 2 wrong usage.`,
		Example: `  warren enter pid:4711 -- ss -tlnp
  warren enter container:4f2a --all -- ps aux
  warren enter container:web -- ss -tlnp
  warren enter pid:4711 --mount --net=false -- ls /
  warren enter shop.web`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(c, "enter: a process, container or namespace is missing: %s", c.UseLine())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			// Flags may follow REF too; they end at the command.
			if err := c.Flags().Parse(args[1:]); err != nil {
				return usageError{err: err, path: c.CommandPath()}
			}
			ref, argv := args[0], c.Flags().Args()
			if len(argv) == 0 {
				argv = []string{shell()}
			}
			var list []netns.Kind
			for _, k := range netns.Kinds() {
				if *set[k] || all && !c.Flags().Changed(k.String()) {
					list = append(list, k)
				}
			}
			if len(list) == 0 {
				return usagef(c, "enter: no namespace is left to enter")
			}
			return a.join(c.Context(), ref, argv, netns.JoinOptions{Kinds: list, Dir: dir})
		},
		DisableFlagsInUseLine: true,
	}
	f := c.Flags()
	f.SetInterspersed(false)
	for _, k := range netns.Kinds() {
		set[k] = f.Bool(k.String(), k == netns.KindNet, "enter the "+k.String()+" namespace")
	}
	f.BoolVarP(&all, "all", "a", false, "enter all namespaces of the process")
	f.StringVarP(&dir, "dir", "C", "", "change to this directory first, inside")
	c.ValidArgsFunction = a.completeNodes
	return c
}

// shell is the user's.
func shell() string {
	if sh := os.Getenv("SHELL"); sh != "" {
		return sh
	}
	return "/bin/sh"
}

// join runs a command in place of this process. It returns only when that failed.
func (a *app) join(ctx context.Context, ref string, argv []string, o netns.JoinOptions) error {
	form, _, _ := strings.Cut(ref, ":")
	if form == "pid" || form == "container" {
		p, err := netns.OpenProcess(ctx, ref)
		if err != nil {
			return err
		}
		defer p.Close()
		o.Process = p
		return netns.Join(argv, o)
	}
	if i := slices.IndexFunc(o.Kinds, func(k netns.Kind) bool { return k != netns.KindNet }); i >= 0 {
		return errors.New(ref + " names a network namespace alone, without --" + o.Kinds[i].String() +
			" (hint: name a process, as pid:N: warren netns pids " + ref + ")")
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	t, err := w.Resolve("", ref)
	if err != nil {
		return err
	}
	h, err := netns.Open(ctx, t.Ref)
	if err != nil {
		return err
	}
	defer h.Close()
	o.Net, o.Kinds = h, nil
	return netns.Join(argv, o)
}
