package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// Groups of commands in help.
const (
	groupLabs    = "labs"
	groupRooms   = "rooms"
	groupSeeing  = "seeing"
	groupGrammar = "grammar"
	groupOther   = "other"
)

// root makes the tree of commands. When args begin with a command that replaces this process it is the only one: entering
// a namespace is done a thousand times in a loop, and making the others costs a third of a millisecond.
func (a *app) root(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "warren",
		Short: "Make, wire, inspect and explain Linux network namespaces",
		Long: `warren makes, wires, inspects and explains Linux network namespaces.

A lab file says which rooms (network namespaces) there are, which nets join them, what runs in them and what must hold.
"warren up" makes the kernel match the file, "warren check" sends real packets to see that the checks hold, and
"warren down" leaves nothing behind. "warren help labfile" explains the file.`,
		Example: `  warren up                  bring up the lab of ./warren.yaml
  warren exec h1 -- ping h2  run a command in a node
  warren graph               see rooms, bridges, cables and addresses
  warren down                take it down again`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			err := fmt.Errorf("unknown command %q", args[0])
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				err = fmt.Errorf("unknown command %q, did you mean %s?", args[0], strings.Join(near, " or "))
			}
			return usageError{err: err, path: c.CommandPath()}
		},
		PersistentPreRunE: a.enter,
		RunE: func(c *cobra.Command, _ []string) error {
			c.SetOut(a.Err)
			if err := c.Help(); err != nil {
				return err
			}
			return exit{2}
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{err: err, path: c.CommandPath()}
	})
	root.PersistentFlags().StringVar(&a.runDir, "run-dir", os.Getenv("WARREN_RUN_DIR"),
		"directory of warren's own files (default /run/warren, or $WARREN_RUN_DIR)")
	root.PersistentFlags().Lookup("run-dir").DefValue = "" // help must not depend on the environment
	root.Flags().StringP("netns", "n", "", "the namespace that an object of iproute2's grammar, or ss, is about: warren -n NS link show")
	a.completeFlag(root, "netns", func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return a.namespaceNames(c), noFiles
	})
	root.SuggestionsMinimumDistance = 2
	if len(args) > 0 && (args[0] == "exec" || args[0] == "shell") {
		root.AddGroup(&cobra.Group{ID: groupRooms, Title: "Rooms:"})
		if args[0] == "exec" {
			root.AddCommand(a.exec())
		} else {
			root.AddCommand(a.shell())
		}
		return root
	}
	if len(args) > 0 && args[0] == attendName {
		root.AddCommand(a.attend())
		return root
	}
	root.AddGroup(
		&cobra.Group{ID: groupLabs, Title: "Labs:"},
		&cobra.Group{ID: groupRooms, Title: "Rooms:"},
		&cobra.Group{ID: groupSeeing, Title: "Seeing:"},
		&cobra.Group{ID: groupGrammar, Title: "iproute2's grammar:"},
		&cobra.Group{ID: groupOther, Title: "Other:"},
	)
	root.SetHelpCommandGroupID(groupOther)
	root.AddCommand(
		a.up(), a.plan(), a.down(), a.check(), a.status(), a.logs(), a.labs(), a.fmt(), a.repair(), a.confirm(), a.boot(),
		a.exec(), a.shell(),
		a.ls(), a.show(), a.graph(), a.find(), a.stats(), a.watch(), a.snapshot(), a.why(), a.drops(),
		a.version(), a.completion(),
	)
	root.AddCommand(a.run(), a.add(), a.rm(), a.connect(), a.disconnect(), a.publish(), a.unpublish())
	root.AddCommand(a.enterCommand())
	root.AddCommand(a.grammar()...)
	root.AddCommand(topics()...)
	return root
}
