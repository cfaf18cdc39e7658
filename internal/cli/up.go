package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) up() *cobra.Command {
	var file string
	var asJSON bool
	var opt warren.UpOptions
	c := &cobra.Command{
		Use:        "up [FILE]",
		GroupID:    groupLabs,
		Short:      "Make the kernel match a lab file",
		SuggestFor: []string{"start", "create", "apply", "deploy"},
		Long: `Make the kernel match a lab file: create what is missing, change what differs, remove what is no longer declared. Then
start the services, wait until they are ready, and run the checks.

A second "up" of an unchanged file changes nothing. What others have put into the lab's namespaces is left alone, unless
--prune says that it goes: links, addresses, routes, rules and nftables tables that no warren made. What routing daemons,
router advertisements and DHCP keep there stays in any case.

With --confirm TIME the change is undone when "warren confirm" does not come within that time: a lab that was up becomes
what it was, another is taken down. A process of its own does it, which outlives the terminal and this command.

When something fails, everything that this run did is undone and the report says so. When the program is killed, the next
"up" or "down" finishes or undoes its work.

On a terminal the progress is shown; in a pipe nothing is printed unless something is wrong.
Exit status: 0 the lab is up and all checks hold, 1 otherwise, 2 wrong usage.`,
		Example: `  warren up                    the lab of ./warren.yaml
  warren up labs/shop.yaml     of another file
  warren up - < lab.yaml       of standard input
  warren up --no-checks        without running the checks
  warren up --confirm 60s      undone after a minute, unless "warren confirm" is given
  warren up --prune            and away with what others put into its namespaces
  warren up --json | jq .steps how much there was to do`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := filename(c, file, args)
			if err != nil {
				return err
			}
			if c.Flags().Changed("confirm") && opt.Confirm < time.Second {
				return usagef(c, "up: --confirm %s is too short to confirm anything", opt.Confirm)
			}
			lab, err := warren.Load(path)
			if err != nil {
				return err
			}
			if len(lab.Nets)+len(lab.Nodes) == 0 {
				return fmt.Errorf("%s declares neither nets nor nodes (hint: warren help labfile begins with the smallest lab)", lab.File)
			}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				report, err := w.Up(ctx, lab, opt)
				return a.afterUp(report, err, asJSON)
			})
		},
	}
	c.Flags().StringVarP(&file, "file", "f", "", `the lab file (default ./warren.yaml, "-" = standard input)`)
	c.Flags().BoolVar(&opt.NoChecks, "no-checks", false, "do not run the lab's checks")
	c.Flags().BoolVar(&opt.NoServices, "no-services", false, "do not start the lab's services")
	c.Flags().BoolVar(&opt.NoVerify, "no-verify", false, "do not read the kernel again afterwards to compare")
	c.Flags().BoolVar(&opt.Prune, "prune", false, "remove what others have put into the lab's namespaces")
	c.Flags().DurationVar(&opt.Confirm, "confirm", 0, `undo the change unless "warren confirm" is given within this time`)
	c.Flags().BoolVar(&a.noWait, "no-wait", false, "fail when somebody else is changing the lab, instead of waiting")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	a.completeFiles(c)
	c.ValidArgsFunction = labFiles
	return c
}

// afterUp tells what up or repair did, and what the exit status is.
func (a *app) afterUp(report *warren.UpReport, err error, asJSON bool) error {
	a.endProgress()
	if report == nil {
		return err
	}
	return errors.Join(a.reportUp(report, err != nil, asJSON), err)
}

// reportUp tells what up did. In a pipe only what is wrong or worth knowing.
func (a *app) reportUp(r *warren.UpReport, failed, asJSON bool) error {
	for _, n := range r.NotUndone {
		a.note("not undone: %s", n)
	}
	if r.Undone > 0 {
		a.note("undone: %s", count(r.Undone, "step"))
	}
	if asJSON {
		return a.printJSON(r)
	}
	for _, n := range r.Notes {
		a.note("%s", n)
	}
	for _, n := range r.Pruned {
		a.note("removed: %s", n)
	}
	if u := r.Unconfirmed; u != nil && u.Undone.IsZero() {
		a.note("%s at %s, unless this is given before: warren confirm %s", undoing(u), clock(u.Until), r.Lab)
	}
	_, onTerminal := terminal(a.Out)
	if onTerminal || !allOK(r.Checks) {
		a.printChecks(r.Checks)
	}
	if onTerminal && !failed {
		fmt.Fprintf(a.Out, "%s is up: %s, %s, %s\n", a.style(a.Out).bold(r.Lab), count(r.Nodes, "node"), steps(r.Steps), duration(r.Took))
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func steps(n int) string {
	if n == 0 {
		return "nothing to do"
	}
	return count(n, "step")
}

// undoing says what becomes of a lab when nobody confirms its change.
func undoing(u *warren.Unconfirmed) string {
	if u.Then == "down" {
		return "the lab is taken down"
	}
	return "the lab becomes what it was"
}

func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }
