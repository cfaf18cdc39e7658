package cli

import (
	"os"
	"slices"

	"github.com/spf13/cobra"

	"warren"
	"warren/netns"
)

func (a *app) exec() *cobra.Command {
	var spec warren.ExecSpec
	var sys string
	c := &cobra.Command{
		Use:     "exec NODE [--] COMMAND [ARG...]",
		GroupID: groupRooms,
		Short:   "Run a command in a node, in place of this process",
		Long: `Run a command in a namespace. The process is replaced: PID, signals, terminal and exit status are the command's own. It
sees the namespace's devices below /sys, and its own /etc/hosts and /etc/resolv.conf; everything else is the host's.

NODE is a node's name while only one lab has it, or LAB.NODE; or any other name below /run/netns, a path, pid:N, id:N (as
seen from here), cookie:N, container:ID or host.
Exit status: the command's own; 127 it is missing, 126 it cannot be run; 1 no such node, 2 wrong usage.`,
		Example: `  warren exec h1 -- ping -c 1 h2
  warren exec shop.web ss -tlnp
  warren exec -l shop web -- sh -c 'echo $$'
  warren exec pid:4711 ip addr`,
		Args: func(c *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return usagef(c, "exec: a node and a command are missing: %s", c.UseLine())
			case 1:
				return usagef(c, "exec: a command is missing: %s", c.UseLine())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			spec.Target, spec.Argv = args[0], args[1:]
			if spec.Argv[0] == "--" && len(spec.Argv) > 1 { // flags end at NODE, so pflag leaves it
				spec.Argv = spec.Argv[1:]
			}
			return a.replace(c, spec, sys)
		},
		DisableFlagsInUseLine: true,
	}
	c.Flags().SetInterspersed(false) // what follows NODE is the command's
	a.execFlags(c, &spec, &sys)
	return c
}

func (a *app) shell() *cobra.Command {
	var spec warren.ExecSpec
	var sys string
	c := &cobra.Command{
		Use:     "shell NODE",
		GroupID: groupRooms,
		Short:   "Open a shell in a node",
		Long: `Open a shell ($SHELL, else /bin/sh) in a namespace, in place of this process; the rest is as with "warren exec". The
variable WARREN_NODE holds the node's name, for a prompt.

Exit status: the shell's own; 127 it is missing, 126 it cannot be run; 1 no such node, 2 wrong usage.`,
		Example: `  warren shell h1
  warren shell shop.web
  SHELL=/bin/zsh warren shell web --lab shop`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			sh := os.Getenv("SHELL")
			if sh == "" {
				sh = "/bin/sh"
			}
			spec.Target, spec.Argv = args[0], []string{sh}
			spec.Env = append(os.Environ(), "WARREN_NODE="+args[0])
			return a.replace(c, spec, sys)
		},
		DisableFlagsInUseLine: true,
	}
	a.execFlags(c, &spec, &sys)
	return c
}

// replace runs the command in place of this process. It returns only when that failed.
func (a *app) replace(c *cobra.Command, spec warren.ExecSpec, sys string) error {
	modes := []netns.SysMode{netns.SysKeep, netns.SysFull, netns.SysNone}
	i := slices.IndexFunc(modes, func(m netns.SysMode) bool { return m.String() == sys })
	if i < 0 {
		return usagef(c, "%s: unknown --sys %q (keep, full or none)", c.Name(), sys)
	}
	spec.Sys, spec.Final = modes[i], true
	spec.Warn = func(err error) { a.note("%v", err) }
	w, err := a.open()
	if err != nil {
		return err
	}
	defer w.Close()
	return w.Exec(c.Context(), spec)
}

func (a *app) execFlags(c *cobra.Command, spec *warren.ExecSpec, sys *string) {
	c.Flags().StringVarP(&spec.Lab, "lab", "l", "", "the lab that NODE is of")
	c.Flags().StringVarP(&spec.Dir, "dir", "C", "", "change to this directory first")
	c.Flags().StringVar(sys, "sys", "keep", `what /sys shows: "keep" the namespace's devices and all that is mounted below, "full" only the former, "none" the host's`)
	a.completeFlag(c, "lab", a.completeLabs)
	a.completeFlag(c, "sys", fixed("keep", "full", "none"))
	_ = c.MarkFlagDirname("dir") // the flag exists
	c.ValidArgsFunction = a.completeNodes
}
