package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) status() *cobra.Command {
	var sel selection
	var asJSON bool
	c := &cobra.Command{
		Use:     "status [LAB|FILE]",
		GroupID: groupLabs,
		Short:   "Show a lab: nodes, services, drift",
		Long: `Show a lab as it is: its nodes with their addresses, its services, every field that is not as it was declared (drift: what
it is, and what it should be), and what others have put into its namespaces. "warren repair" undoes the drift, "warren up
--prune" the rest.

Exit status: 0 the lab is up and as declared; 1 it is not (drifted, partly there, a service failed, or the watchdog of an
unconfirmed change is gone); 2 wrong usage.`,
		Example: `  warren status          the lab of ./warren.yaml, or the only one there is
  warren status shop     the lab called shop
  warren status --json   for a program`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sel.take(c, args); err != nil {
				return err
			}
			return a.withLab(c.Context(), sel, func(ctx context.Context, w *warren.Warren, name string) error {
				st, err := w.Status(ctx, name)
				a.endProgress()
				if err != nil {
					return err
				}
				if asJSON {
					err = a.printJSON(st)
				} else {
					a.printStatus(st)
				}
				if err == nil && !healthy(st) {
					err = exit{1}
				}
				return err
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	c.ValidArgsFunction = a.completeLabArg
	return c
}

func healthy(st *warren.Status) bool {
	for _, s := range st.Services {
		if s.State == "failed" || s.State == "blocked" {
			return false
		}
	}
	if u := st.Unconfirmed; u != nil && u.Undone.IsZero() && !u.Watched {
		return false
	}
	return st.State == "up"
}

// mostDrift is how many differences are listed: --json has them all, and "warren plan" the steps that undo them.
const mostDrift = 20

func (a *app) printStatus(st *warren.Status) {
	s := a.style(a.Out)
	word := s.green(st.State)
	if st.State != "up" {
		word = s.red(st.State)
	}
	fmt.Fprintf(a.Out, "%s: %s\n", s.bold(st.Lab), word)
	if st.Locked != "" {
		fmt.Fprintf(a.Out, "locked by %s\n", st.Locked)
	}
	if st.Unconfirmed != nil {
		fmt.Fprintln(a.Out, unconfirmedWords(st.Unconfirmed, st.Lab))
	}
	if st.Edited != "" {
		fmt.Fprintf(a.Out, "changed by single commands since it was brought up: warren up %s undoes that\n", st.Edited)
	}
	nodes := table{head: []string{"NODE", "ADDRESSES", "PROCESSES"}}
	for _, n := range st.Nodes {
		addrs := strings.Join(n.Addrs, ", ")
		if !n.Exists {
			addrs = "(missing)"
		}
		nodes.add(n.Name, dash(addrs), strconv.Itoa(n.Processes))
	}
	a.section(&nodes)
	services := table{head: []string{"SERVICE", "STATE", "PID", "DETAIL"}}
	for _, v := range st.Services {
		pid := "-"
		if v.PID != 0 {
			pid = strconv.Itoa(v.PID)
		}
		d := v.Detail
		if d == "" && v.Took > 0 {
			d = "ready after " + duration(v.Took)
		}
		services.add(v.Node+"."+v.Name, v.State, pid, d)
	}
	a.section(&services)
	a.printDrift(st.Differences)
	other := table{head: []string{"OTHER"}}
	for _, o := range st.Other {
		other.add(o)
	}
	a.section(&other)
}

func (a *app) section(t *table) {
	if len(t.rows) > 0 {
		fmt.Fprintln(a.Out)
		t.write(a.Out, a.style(a.Out))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func unconfirmedWords(u *warren.Unconfirmed, lab string) string {
	switch {
	case !u.Undone.IsZero():
		return fmt.Sprintf("nobody confirmed the last change: it was undone at %s", clock(u.Undone))
	case u.Error != "":
		return fmt.Sprintf("nobody confirmed the last change, and undoing it failed: %s (warren repair %s tries again)", u.Error, lab)
	case !u.Watched:
		return fmt.Sprintf("unconfirmed, and its watchdog is gone: warren confirm %s keeps the change until %s, warren repair %s sees to the rest", lab, clock(u.Until), lab)
	}
	return fmt.Sprintf("unconfirmed: %s at %s, unless this is given before: warren confirm %s", undoing(u), clock(u.Until), lab)
}

func (a *app) printDrift(list []warren.Difference) {
	t := table{head: []string{"DRIFT IN", "OBJECT", "FIELD", "HAVE", "WANT"}}
	for i, d := range list {
		if i == mostDrift {
			t.add(fmt.Sprintf("... and %d more (--json has all)", len(list)-i), "", "", "", "")
			break
		}
		have, want := dash(d.Have), dash(d.Want)
		if d.Field == "" && d.Have == "" {
			have = "(missing)"
		}
		t.add(d.NS, d.Object, dash(d.Field), have, want)
	}
	a.section(&t)
}
