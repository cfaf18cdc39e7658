package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) confirm() *cobra.Command {
	var sel selection
	var opt warren.ConfirmOptions
	var watch string
	c := &cobra.Command{
		Use:     "confirm [LAB|FILE]",
		GroupID: groupLabs,
		Short:   `Keep what "up --confirm" made`,
		Long: `Keep the change that "warren up --confirm TIME" made and that would be undone when the time is over. With --undo it is
undone at once: a lab that was up becomes what it was before, one that was not is taken down.

A plain "warren up" of the lab keeps it too. When the process that watches the time was killed, the next confirm or repair
does its work; status says so.
Exit status: 0 the change stays (--undo: it is undone), 1 nothing waits or it is too late, 2 wrong usage.`,
		Example: `  warren up --confirm 60s     a change that may lock you out
  warren confirm              you are still there: it stays
  warren confirm --undo shop  it was a mistake`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if watch != "" {
				return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error { return w.Watch(ctx, watch) })
			}
			if err := sel.take(c, args); err != nil {
				return err
			}
			return a.withLab(c.Context(), sel, func(ctx context.Context, w *warren.Warren, name string) error {
				err := w.Confirm(ctx, name, opt)
				a.endProgress()
				if _, onTerminal := terminal(a.Out); onTerminal && err == nil {
					word := "the change stays"
					if opt.Undo {
						word = "the change is undone"
					}
					fmt.Fprintf(a.Out, "%s: %s\n", a.style(a.Out).bold(name), word)
				}
				return err
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().BoolVar(&opt.Undo, "undo", false, "undo the change now")
	c.Flags().BoolVar(&a.noWait, "no-wait", false, "fail when somebody else is changing the lab, instead of waiting")
	c.Flags().StringVar(&watch, watchFlag, "", "be the watchdog of a lab")
	_ = c.Flags().MarkHidden(watchFlag) // fails only for a flag that is not there
	c.ValidArgsFunction = a.completeLabArg
	return c
}

const watchFlag = "watch"

// watchdog is how this program is started to undo what nobody confirms. It works in another folder.
func (a *app) watchdog() ([]string, error) {
	argv := []string{"warren"}
	if a.runDir != "" {
		dir, err := filepath.Abs(a.runDir)
		if err != nil {
			return nil, err
		}
		argv = append(argv, "--run-dir", dir)
	}
	return append(argv, "confirm", "--"+watchFlag), nil
}
