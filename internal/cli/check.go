package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) check() *cobra.Command {
	var sel selection
	var asJSON, static, simulate bool
	var opt warren.CheckOptions
	var src source
	c := &cobra.Command{
		Use:     "check [LAB|FILE]",
		GroupID: groupLabs,
		Short:   "Run a lab's checks with real packets",
		Long: `Run the checks of a lab that is up: real packets, sent from sockets inside of its namespaces. No ping or curl is needed.
Below a check that fails stands why, if that can be found out: where the packet dies, and the fix.

With --static no packet is sent: the packet walk decides on what the kernel holds, or a file of "warren snapshot". With
--simulate it decides on what "up" would make of the file; nodes with services are taken to serve what the checks ask of
them. A check that the walk cannot decide does not hold.

Exit status: 0 all checks hold, 1 one does not or an error, 2 wrong usage.`,
		Example: `  warren check                  the checks of ./warren.yaml
  warren check shop --only http those of shop that have "http" in them
  warren check --simulate       would they hold, if ./warren.yaml were brought up?
  warren check --static --snapshot h.json   would they have held, on the host that was saved?
  warren check --json           results for a program`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sel.take(c, args); err != nil {
				return err
			}
			if static && simulate {
				return usagef(c, "check: --static is about what is there, --simulate about what would be: choose one")
			}
			if src.given() && (!static || sel.lab != "") {
				return usagef(c, "check: --snapshot goes with --static and a lab file")
			}
			report := func(name string, results []warren.CheckResult, err error) error {
				a.endProgress()
				if results == nil && err != nil {
					return err
				}
				if asJSON {
					return errors.Join(a.printJSON(checkReport{Lab: name, OK: allOK(results), Checks: nonNil(results)}), err)
				}
				a.printChecks(results)
				if len(results) == 0 {
					a.note("lab %s has no checks%s", name, only(opt))
				}
				return err
			}
			if src.given() {
				lab, err := warren.Load(sel.file)
				if err != nil {
					return err
				}
				s, err := warren.LoadSnapshot(src.file)
				if err != nil {
					return err
				}
				results, err := warren.CheckSaved(c.Context(), lab, s, opt)
				return report(lab.Name, results, err)
			}
			if simulate {
				if sel.lab != "" {
					return usagef(c, "check --simulate is about a lab file, which need not be up: name the file instead of %q", sel.lab)
				}
				lab, err := warren.Load(sel.file)
				if err != nil {
					return err
				}
				return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
					_, results, err := w.Simulate(ctx, lab, opt)
					return report(lab.Name, results, err)
				})
			}
			return a.withLab(c.Context(), sel, func(ctx context.Context, w *warren.Warren, name string) error {
				if static {
					results, err := w.CheckStatic(ctx, name, opt)
					return report(name, results, err)
				}
				results, err := w.Check(ctx, name, opt)
				return report(name, results, err)
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().StringVar(&opt.Only, "only", "", "only the checks that have this text in them")
	c.Flags().BoolVar(&static, "static", false, "decide by the packet walk on what the kernel holds, without packets")
	c.Flags().BoolVar(&simulate, "simulate", false, "decide by the packet walk on what up would make, before anything is made")
	c.Flags().BoolVar(&asJSON, "json", false, "print the results as JSON")
	a.sourceFlag(c, &src)
	c.ValidArgsFunction = a.completeLabArg
	return c
}

// A checkReport is what check --json prints.
type checkReport struct {
	Lab    string               `json:"lab"`
	OK     bool                 `json:"ok"`
	Checks []warren.CheckResult `json:"checks"`
}

func only(opt warren.CheckOptions) string {
	if opt.Only == "" {
		return ""
	}
	return fmt.Sprintf(" with %q in them", opt.Only)
}

func allOK(results []warren.CheckResult) bool {
	for _, r := range results {
		if !r.OK {
			return false
		}
	}
	return true
}

// printChecks writes a line for each check, and below a failed one its failed parts.
func (a *app) printChecks(results []warren.CheckResult) {
	s := a.style(a.Out)
	for _, r := range results {
		mark := s.green("ok  ")
		if !r.OK {
			mark = s.red("FAIL")
		}
		fmt.Fprintf(a.Out, "%s  %s%s\n", mark, r.Check, s.dim(detail(r)))
		if r.OK {
			continue
		}
		for _, p := range r.Parts {
			if !p.OK {
				fmt.Fprintf(a.Out, "      %s%s\n", p.Check, s.dim(detail(p)))
			}
		}
		if v := r.Why; v != nil && v.Reason != nil {
			fmt.Fprintf(a.Out, "      why  %s in %s: %s\n", v.Reason.Code, v.Reason.Namespace, v.Reason.Text)
			if len(v.Reason.Fix) > 0 {
				fmt.Fprintf(a.Out, "      fix  %s\n", v.Reason.Fix[0])
			}
		}
	}
}

func detail(r warren.CheckResult) string {
	if r.Detail == "" {
		return ""
	}
	return ": " + r.Detail
}

// nonNil makes an empty list of none, so that JSON has [] and not null.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
