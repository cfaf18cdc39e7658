package cli

import (
	"os"

	"github.com/spf13/cobra"

	"warren/internal/rootless"
)

// enter brings an ordinary user's command into the user's world, before it reads anything. For root it does nothing. What
// says something about the program or a file only needs no world; completion makes none.
func (a *app) enter(c *cobra.Command, _ []string) error {
	use := rootless.Make
	switch c.Name() {
	case c.Root().Name(), "version", "help", "completion", "fmt":
		return nil
	case "boot", "enable", "disable", "list", "show":
		if c.Name() == "boot" || c.Parent().Name() == "boot" {
			return nil // units are files outside
		}
	case cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
		use = rootless.Join
	}
	if f := c.Flags().Lookup("snapshot"); f != nil && f.Changed {
		return nil // a file is read, not the kernel
	}
	var err error
	a.world, err = rootless.Enter(append([]string{os.Args[0]}, a.args...), use, func(text string) { a.note("%s", text) })
	return err
}
