package cli

import (
	"context"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) repair() *cobra.Command {
	var sel selection
	var asJSON bool
	var opt warren.UpOptions
	c := &cobra.Command{
		Use:     "repair [LAB|FILE]",
		GroupID: groupLabs,
		Short:   "Make a lab again what it was when it was last brought up",
		Long: `Make a lab again what it was when it was last brought up, addresses included: "up" of the recorded lab, without its file.
What somebody has taken away is made again; what a killed command left half-done is finished or undone.

Exit status: 0 the lab is up and all checks hold, 1 otherwise, 2 wrong usage.`,
		Example: `  warren repair        the lab of ./warren.yaml, or the only one there is
  warren repair shop   the lab called shop`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sel.take(c, args); err != nil {
				return err
			}
			return a.withLab(c.Context(), sel, func(ctx context.Context, w *warren.Warren, name string) error {
				report, err := w.Repair(ctx, name, opt)
				return a.afterUp(report, err, asJSON)
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().BoolVar(&opt.NoChecks, "no-checks", false, "do not run the lab's checks")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.Flags().BoolVar(&a.noWait, "no-wait", false, "fail when somebody else is changing the lab, instead of waiting")
	c.ValidArgsFunction = a.completeLabArg
	return c
}
