package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) plan() *cobra.Command {
	var file, format string
	var asJSON bool
	c := &cobra.Command{
		Use:     "plan [FILE]",
		GroupID: groupLabs,
		Short:   "Say what up would do, without doing it",
		Long: `Compare a lab file with the kernel and print the steps between them, in order, with the reason of each.

Formats: text for people; json, one document (docs/json.md); sh, the ip, sysctl and nft lines that a person would have
typed, as a shell script.
Exit status: 0 nothing to do, 2 there are changes, 1 any error.`,
		Example: `  warren plan                        what "warren up" would do now
  warren plan --format sh > up.sh    the same as ip, sysctl and nft commands
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
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
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
	a.completeFiles(c)
	a.completeFlag(c, "format", fixed("text", "json", "sh"))
	c.ValidArgsFunction = labFiles
	return c
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
