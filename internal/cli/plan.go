package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"warren"
	"warren/plan"
	"warren/topo"
)

func (a *app) plan() *cobra.Command {
	var file, format string
	var asJSON, simulate bool
	c := &cobra.Command{
		Use:     "plan [FILE]",
		GroupID: groupLabs,
		Short:   "Say what up would do, without doing it",
		Long: `Compare a lab file with the kernel and print the steps between them, in order, with the reason of each.

Formats: text for people; json, one document (docs/json.md); sh, the ip, sysctl and nft lines that a person would have
typed, as a shell script.
With --simulate the packet walk decides the lab's checks on what "up" would make; see "warren help check".
Exit status: 0 nothing to do, 2 there are changes, 1 any error, or a check that would not hold.`,
		Example: `  warren plan                        what "warren up" would do now
  warren plan --format sh > up.sh    the same as ip, sysctl and nft commands
  warren plan --simulate             and would its checks hold?
  warren plan --format json lab.yaml for a program`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := filename(c, file, args)
			if err != nil {
				return err
			}
			if asJSON {
				if c.Flags().Changed("format") && format != "json" {
					return usagef(c, "plan: --json and --format %s", format)
				}
				format = "json"
			}
			if format != "text" && format != "json" && format != "sh" {
				return usagef(c, "plan: unknown format %q (text, json or sh)", format)
			}
			lab, err := warren.Load(path)
			if err != nil {
				return err
			}
			if simulate && format == "sh" {
				return usagef(c, "plan: --simulate and --format sh: a script has no place for checks")
			}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				if simulate {
					return a.simulate(ctx, w, lab, format)
				}
				change, err := w.Plan(ctx, lab)
				if err != nil {
					return err
				}
				if err := a.printPlan(change, format); err != nil {
					return err
				}
				if len(change.Plan.Steps) > 0 {
					return exit{2}
				}
				return nil
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", `the lab file (default ./warren.yaml, "-" = standard input)`)
	c.Flags().StringVar(&format, "format", "text", "text, json or sh")
	c.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	c.Flags().BoolVar(&simulate, "simulate", false, "say, too, which of the lab's checks would hold afterwards")
	a.completeFiles(c)
	a.completeFlag(c, "format", fixed("text", "json", "sh"))
	c.ValidArgsFunction = labFiles
	return c
}

// A simulation is what plan --simulate --json prints.
type simulation struct {
	Plan   plan.Plan            `json:"plan"`
	OK     bool                 `json:"ok"`
	Checks []warren.CheckResult `json:"checks"`
}

// simulate prints the plan, and below it the checks as they would come out.
func (a *app) simulate(ctx context.Context, w *warren.Warren, lab *topo.Lab, format string) error {
	change, results, err := w.Simulate(ctx, lab, warren.CheckOptions{})
	if change == nil || results == nil {
		return err
	}
	if format == "json" {
		a.endProgress()
		err = errors.Join(a.printJSON(simulation{change.Plan, allOK(results), nonNil(results)}), err)
	} else {
		if err := a.printPlan(change, format); err != nil {
			return err
		}
		a.printChecks(results)
	}
	if err == nil && len(change.Plan.Steps) > 0 {
		return exit{2}
	}
	return err
}

func (a *app) printPlan(change *warren.Change, format string) error {
	a.endProgress()
	switch format {
	case "json":
		return a.printJSON(change.Plan)
	case "sh":
		_, err := io.WriteString(a.Out, change.Shell())
		return err
	}
	if len(change.Plan.Steps) == 0 {
		_, err := fmt.Fprintf(a.Out, "%s: nothing to do\n", change.Plan.Lab)
		return err
	}
	_, err := fmt.Fprintln(a.Out, strings.TrimSuffix(change.Plan.Text(), "\n"))
	return err
}
