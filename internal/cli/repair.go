package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) repair() *cobra.Command {
	var sel selection
	c := &cobra.Command{
		Use:     "repair [LAB|FILE]",
		GroupID: groupLabs,
		Short:   "Finish or undo what a killed command left half-done",
		Long: `Finish or undo what a command that was killed left half-done: names that hold no namespace, host-side objects of an
unfinished change, a supervisor without its lab. What is healthy is not touched. "up" and "down" do the same by themselves;
repair is for when neither is wanted.

Exit status: 0 nothing is broken (any more), 1 an error, 2 wrong usage.`,
		Example: `  warren repair        the lab of ./warren.yaml, or the only one there is
  warren repair shop   the lab called shop`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sel.take(c, args); err != nil {
				return err
			}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				name, err := sel.name(ctx, w)
				if err != nil {
					return err
				}
				done, err := w.Repair(ctx, name)
				a.endProgress()
				for _, d := range done {
					fmt.Fprintln(a.Out, d)
				}
				return err
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().BoolVar(&a.noWait, "no-wait", false, "fail when somebody else is changing the lab, instead of waiting")
	c.ValidArgsFunction = a.completeLabArg
	return c
}
