package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) logs() *cobra.Command {
	var sel selection
	var opt warren.LogOptions
	c := &cobra.Command{
		Use:     "logs [NODE|NODE.SERVICE...]",
		GroupID: groupLabs,
		Short:   "Show what a lab's services print",
		Long: `Show standard output and standard error of a lab's services, of all or of those that are named. With --follow go on
until the services end or the command is interrupted.

Exit status: 0, 1 an error (no such service), 2 wrong usage.`,
		Example: `  warren logs              all services of the lab
  warren logs -f web       follow those of node web
  warren logs -n 20 web.nginx -l shop`,
		RunE: func(c *cobra.Command, args []string) error {
			if opt.Lines < 0 {
				return usagef(c, "logs: --lines %d is negative", opt.Lines)
			}
			opt.Nodes = args
			return a.withLab(c.Context(), sel, func(ctx context.Context, w *warren.Warren, name string) error {
				err := w.Logs(ctx, name, opt, a.printLogLine)
				if opt.Follow && errors.Is(err, context.Canceled) {
					return nil // interrupted, as a person ends it
				}
				return err
			})
		},
	}
	c.Flags().StringVarP(&sel.lab, "lab", "l", "", "the lab's name")
	c.Flags().StringVar(&sel.file, "file", "", "the lab file")
	c.MarkFlagsMutuallyExclusive("lab", "file")
	c.Flags().BoolVarP(&opt.Follow, "follow", "f", false, "go on with what is printed from now on")
	c.Flags().IntVarP(&opt.Lines, "lines", "n", 0, "only so many lines from the end (0 = all)")
	a.completeFlag(c, "lab", a.completeLabs)
	a.completeFiles(c)
	c.ValidArgsFunction = a.completeServices
	return c
}

// printLogLine prints a line with who wrote it before it.
func (a *app) printLogLine(l warren.LogLine) error {
	_, err := fmt.Fprintf(a.Out, "%s.%s | %s\n", l.Node, l.Service, l.Text)
	return err
}
