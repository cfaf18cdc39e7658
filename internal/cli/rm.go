package cli

import (
	"context"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) rm() *cobra.Command {
	var e editing
	c := &cobra.Command{
		Use:     "rm NODE...",
		GroupID: groupRooms,
		Short:   "Remove nodes from a lab",
		Long: `Remove nodes, with their cables, their published ports, and every process that is inside. With the last node of a lab the
whole lab goes, as with "warren down".

` + editHelp + `

Exit status: 0, 1 an error (no such node; then none is removed), 2 wrong usage.`,
		Example: `  warren rm web
  warren rm web db
  warren rm shop.web   of the lab called shop`,
		Args: arguments(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			nodes, err := e.nodes(c, args)
			if err != nil {
				return err
			}
			return a.edit(c, &e, nodes[0], func(ctx context.Context, w *warren.Warren) (*warren.EditReport, error) {
				return w.Remove(ctx, nodes, e.opt)
			})
		},
	}
	a.editFlags(c, &e)
	c.ValidArgsFunction = a.completeOwn(-1, false)
	return c
}
