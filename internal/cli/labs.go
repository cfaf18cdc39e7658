package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) labs() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "labs",
		GroupID: groupLabs,
		Short:   "List the labs that are there",
		Long: `List the labs that have anything on this machine, also those that were killed half-way.

Exit status: 0, also when there is none; 1 an error, 2 wrong usage.`,
		Example: `  warren labs         a table
  warren labs --json  for a program`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				labs, err := w.Labs(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(nonNil(labs))
				}
				t := table{head: []string{"LAB", "STATE", "NODES", "SINCE", "FILE"}}
				for _, l := range labs {
					since := "-"
					if !l.Since.IsZero() {
						since = l.Since.Local().Format(time.DateTime)
					}
					t.add(l.Name, l.State, strconv.Itoa(l.Nodes), since, dash(l.File))
				}
				t.write(a.Out, a.style(a.Out))
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	return c
}
