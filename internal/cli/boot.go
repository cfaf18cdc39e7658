package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"warren"
	"warren/internal/rootless"
	"warren/topo"
)

func (a *app) boot() *cobra.Command {
	c := &cobra.Command{
		Use:     "boot",
		GroupID: groupLabs,
		Short:   "Bring labs up when the machine starts",
		Long: `Let systemd bring labs up when the machine starts, and take them down when it stops. For root they are units of the machine,
after the network and after whatever loads firewall rules and sysctls; for an ordinary user units of the user's own systemd.

A unit refers to the lab file where it is, or, with --copy, to a copy below /etc/warren in which every path is absolute. It
leaves out the lab's checks. When nftables.service loads its rules anew, which flushes everybody's, the unit puts the lab's
back.
Exit status: 0 done, 1 it was not, 2 wrong usage.`,
		Example: `  warren boot enable labs/shop.yaml   from now on at every start
  warren boot list                    what is enabled
  warren boot show shop               the unit
  warren boot disable shop            no longer`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return usagef(c, "boot: say enable, disable, list or show")
		},
	}
	c.AddCommand(a.bootEnable(), a.bootDisable(), a.bootList(), a.bootShow())
	return c
}

// bootFlags are those of every boot command.
func (a *app) bootFlags(c *cobra.Command, o *warren.BootOptions) {
	c.Flags().StringVar(&o.Root, "root", "", `a directory that stands for "/": of an image or a container that is being made`)
	c.Flags().BoolVar(&o.User, "user", false, "the user's own units (default for whoever is not root)")
}

// bootOptions completes the options: who calls, and as what.
func bootOptions(o warren.BootOptions) (warren.BootOptions, error) {
	if o.Root != "" && o.User {
		return o, errors.New("--root and --user: a user's units are in the home directory")
	}
	o.User = o.User || o.Root == "" && (os.Geteuid() != 0 || rootless.Inside())
	if o.User {
		dir, err := os.UserConfigDir()
		if err != nil {
			return o, fmt.Errorf("find the place of a user's units: %w", err)
		}
		o.Config = dir
	}
	if o.Root != "" {
		o.Program = "/usr/bin/warren" // where the package puts it
		return o, nil
	}
	program, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("find this program: %w", err)
	}
	o.Program = program
	return o, nil
}

// systemdRuns is what sd_booted(3) asks.
func systemdRuns() bool {
	_, err := os.Lstat("/run/systemd/system")
	return err == nil
}

func (a *app) bootEnable() *cobra.Command {
	var o warren.BootOptions
	var show bool
	c := &cobra.Command{
		Use:   "enable [LAB|FILE]",
		Short: "Bring a lab up at every start of the machine",
		Long: `Write a systemd unit that brings a lab up at boot and takes it down at stop, and enable it. LAB is a lab that is up: its
file is taken, or, when there is none, what was recorded. Default is ./warren.yaml. The lab itself is left as it is: it may be
up or not.

Where no systemd runs (and no --root says where else to write) the unit is printed, with a word on where it belongs.
Exit status: 0 done, or printed; 1 it was not; 2 wrong usage.`,
		Example: `  warren boot enable                   ./warren.yaml
  warren boot enable shop              the lab that is up under this name
  warren boot enable --copy a.yaml     a copy of the file, which may then change or go
  warren boot enable --print a.yaml    only print the unit
  warren boot enable --root /mnt a.yaml
                                       into the image that is mounted there, with a copy`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			opt, err := bootOptions(o)
			if err != nil {
				return err
			}
			lab, err := a.labToBoot(c.Context(), args)
			if err != nil {
				return err
			}
			u, err := warren.NewBootUnit(lab, opt)
			if err != nil {
				return err
			}
			if show || o.Root == "" && !systemdRuns() {
				return a.printUnit(u, opt, show)
			}
			if err := u.Enable(opt); err != nil {
				return err
			}
			a.afterBoot(opt)
			if _, onTerminal := terminal(a.Out); onTerminal {
				fmt.Fprintf(a.Out, "%s comes up at boot: %s\n", a.style(a.Out).bold(u.Lab), u.Path)
			}
			a.warnOfFile(u.File, opt)
			return nil
		},
	}
	a.bootFlags(c, &o)
	c.Flags().BoolVar(&o.Copy, "copy", false, "keep a copy of the lab file, with absolute paths, and bring that one up")
	c.Flags().BoolVar(&show, "print", false, "print the unit instead of writing it")
	c.ValidArgsFunction = a.completeLabArg
	return c
}

// labToBoot is the lab that an argument names. Only that of a running one needs the world of an ordinary user.
func (a *app) labToBoot(ctx context.Context, args []string) (*topo.Lab, error) {
	if len(args) == 0 || isFile(args[0]) {
		path := ""
		if len(args) > 0 {
			path = args[0]
		}
		return warren.Load(path)
	}
	var err error
	if a.world, err = rootless.Enter(append([]string{os.Args[0]}, a.args...), rootless.Join, func(text string) { a.note("%s", text) }); err != nil {
		return nil, err
	}
	var lab *topo.Lab
	err = a.with(ctx, func(_ context.Context, w *warren.Warren) error {
		lab, err = w.BootLab(args[0])
		return err
	})
	return lab, err
}

// printUnit prints the unit and says where it belongs.
func (a *app) printUnit(u *warren.BootUnit, o warren.BootOptions, asked bool) error {
	if _, err := fmt.Fprint(a.Out, u.Text); err != nil {
		return err
	}
	if !asked {
		a.note("no systemd runs here: this is the unit, nothing was written")
	}
	user := ""
	if o.User {
		user = "--user "
	}
	a.note("it belongs into %s; then: systemctl %senable %s", u.Path, user, filepath.Base(u.Path))
	if o.User {
		a.note("to start it at boot and not at login: loginctl enable-linger")
	}
	return nil
}

// afterBoot says how systemd gets to know before the next start: it reads its units again when it is told to.
func (a *app) afterBoot(o warren.BootOptions) {
	switch {
	case o.User:
		a.note("it starts with your first login; to start it at boot: loginctl enable-linger; to use it now: systemctl --user daemon-reload")
	case o.Root == "" && systemdRuns():
		a.note("from the next start of the machine on; to use the unit now: systemctl daemon-reload")
	}
}

// warnOfFile says when somebody else may write what root will run at boot.
func (a *app) warnOfFile(path string, o warren.BootOptions) {
	fi, err := os.Stat(path)
	if o.User || o.Root != "" || err != nil {
		return
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Uid != 0 || fi.Mode().Perm()&0o022 != 0 {
		a.note("whoever may write %s says what root runs at boot: --copy takes a copy that only root may write", path)
	}
}

func (a *app) bootDisable() *cobra.Command {
	var o warren.BootOptions
	c := &cobra.Command{
		Use:   "disable LAB",
		Short: "Do not bring a lab up at boot any more",
		Long: `Remove the unit that brings a lab up at boot, and the copy of its file where there is one. The lab itself stays as it is.

Exit status: 0 done, 1 there is no such unit, 2 wrong usage.`,
		Example: `  warren boot disable shop`,
		Args:    arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt, err := bootOptions(o)
			if err != nil {
				return err
			}
			u, err := warren.FindBootUnit(args[0], opt)
			if err != nil {
				return err
			}
			return u.Disable(opt)
		},
	}
	a.bootFlags(c, &o)
	c.ValidArgsFunction = a.completeBoot(&o)
	return c
}

func (a *app) bootList() *cobra.Command {
	var o warren.BootOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the labs that come up at boot",
		Long: `List the units that bring labs up at boot, with their lab files. ENABLED is "no" for a unit that is there and that systemd
does not start.

Exit status: 0, also when there is none; 1 an error, 2 wrong usage.`,
		Example: `  warren boot list
  warren boot list --json`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			opt, err := bootOptions(o)
			if err != nil {
				return err
			}
			units, err := warren.BootUnits(opt)
			if err != nil {
				return err
			}
			if asJSON {
				for i := range units {
					units[i].Text = ""
				}
				return a.printJSON(nonNil(units))
			}
			t := table{head: []string{"LAB", "ENABLED", "FILE"}}
			for _, u := range units {
				word := "yes"
				if !u.Enabled {
					word = "no"
				}
				file := u.File
				if _, err := os.Stat(filepath.Join(cmp.Or(opt.Root, "/"), file)); errors.Is(err, fs.ErrNotExist) {
					file += " (missing)"
				}
				t.add(u.Lab, word, file)
			}
			t.write(a.Out, a.style(a.Out))
			return nil
		},
	}
	a.bootFlags(c, &o)
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return c
}

func (a *app) bootShow() *cobra.Command {
	var o warren.BootOptions
	c := &cobra.Command{
		Use:   "show LAB",
		Short: "Print the unit that brings a lab up at boot",
		Long: `Print the systemd unit that brings a lab up at boot, as it is.

Exit status: 0, 1 there is none, 2 wrong usage.`,
		Example: `  warren boot show shop`,
		Args:    arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt, err := bootOptions(o)
			if err != nil {
				return err
			}
			u, err := warren.FindBootUnit(args[0], opt)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(a.Out, u.Text)
			return err
		},
	}
	a.bootFlags(c, &o)
	c.ValidArgsFunction = a.completeBoot(&o)
	return c
}

// completeBoot offers the labs that have a unit.
func (a *app) completeBoot(o *warren.BootOptions) completer {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		opt, err := bootOptions(*o)
		if err != nil || len(args) > 0 {
			return nil, noFiles
		}
		units, err := warren.BootUnits(opt)
		if err != nil {
			return nil, noFiles
		}
		var names []string
		for _, u := range units {
			names = append(names, u.Lab)
		}
		return names, noFiles
	}
}
