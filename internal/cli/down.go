package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"warren"
	"warren/topo"
)

func (a *app) down() *cobra.Command {
	var sel selection
	var asJSON bool
	var opt warren.DownOptions
	c := &cobra.Command{
		Use:        "down [LAB|FILE]",
		GroupID:    groupLabs,
		Short:      "Take a lab down and leave nothing behind",
		SuggestFor: []string{"stop", "destroy", "delete", "remove"},
		Long: `Take a lab down: end its services and every other process in its namespaces, remove the namespaces and what it has on
the host, and wait until the kernel is really done. Nothing stays: no namespace, link, rule, route, sysctl, process or file.

The lab file is not needed: "warren down LAB" works without it. A lab that is not there is no error.
Exit status: 0 the lab is gone, 1 something could not be removed, 2 wrong usage.`,
		Example: `  warren down             the lab of ./warren.yaml
  warren down shop        the lab called shop
  warren down labs/a.yaml the lab of that file`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sel.take(c, args); err != nil {
				return err
			}
			if opt.Timeout < 0 {
				return usagef(c, "down: --timeout %s is negative", opt.Timeout)
			}
			return a.withLab(c.Context(), sel, func(ctx context.Context, w *warren.Warren, name string) error {
				report, err := w.Down(ctx, name, opt)
				a.endProgress()
				if report != nil {
					near := ""
					if labs, err := w.Labs(ctx); err == nil && !report.Existed {
						near = topo.Nearest(name, labNames(labs))
					}
					if shown := a.reportDown(report, near, err != nil, asJSON); shown != nil {
						return shown
					}
				}
				return err
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().DurationVar(&opt.Timeout, "timeout", 0, "how long services get to end before they are killed (default: what each says, or 5s)")
	c.Flags().BoolVar(&a.noWait, "no-wait", false, "fail when somebody else is changing the lab, instead of waiting")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	c.ValidArgsFunction = a.completeLabArg
	return c
}

func labNames(labs []warren.LabInfo) []string {
	var names []string
	for _, l := range labs {
		names = append(names, l.Name)
	}
	return names
}

func (a *app) reportDown(r *warren.DownReport, near string, failed, asJSON bool) error {
	if asJSON {
		return a.printJSON(r)
	}
	for _, n := range r.Notes {
		a.note("%s", n)
	}
	if !r.Existed && near != "" {
		a.note("%s was not up; did you mean %s?", r.Lab, near)
	}
	if _, onTerminal := terminal(a.Out); !onTerminal || failed {
		return nil
	}
	if !r.Existed {
		fmt.Fprintf(a.Out, "%s was not up\n", a.style(a.Out).bold(r.Lab))
		return nil
	}
	ended := ""
	if r.Processes > 0 {
		ended = fmt.Sprintf(", %s ended", count2(r.Processes, "process", "processes"))
	}
	fmt.Fprintf(a.Out, "%s is down: %s%s, %s\n", a.style(a.Out).bold(r.Lab), steps(r.Steps), ended, duration(r.Took.Round(time.Microsecond)))
	return nil
}

func count2(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
