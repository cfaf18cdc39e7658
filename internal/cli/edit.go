package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warren"
	"warren/topo"
)

// editing are the flags that all commands have which change a lab one thing at a time.
type editing struct {
	opt    warren.EditOptions
	asJSON bool
}

// editHelp is what their help says about the lab.
const editHelp = `Without --lab the lab called "default" is changed: it has one net, "default", with a way out through the host; the first
command makes it, and it goes with its last node. With --lab the named lab is changed, as it runs and as it is kept; the file
that it came from stays as it is, so that the next "warren up" of that file undoes the change.`

func (a *app) editFlags(c *cobra.Command, e *editing) {
	c.Flags().StringVarP(&e.opt.Lab, "lab", "l", "", `the lab (default "default")`)
	c.Flags().DurationVar(&e.opt.Wait, "wait", 0, "how long to wait for others who change the lab (default 2m)")
	c.Flags().BoolVar(&a.noWait, "no-wait", false, "fail when somebody else is changing the lab, instead of waiting")
	c.Flags().BoolVar(&e.asJSON, "json", false, "print the report as JSON")
	a.completeFlag(c, "lab", a.completeLabs)
}

// node reads NODE or LAB.NODE.
func (e *editing) node(c *cobra.Command, arg string) (string, error) {
	lab, node, dotted := strings.Cut(arg, ".")
	switch {
	case !dotted:
		return arg, nil
	case lab == "" || node == "":
		return "", usagef(c, "%s: %q is not NODE or LAB.NODE", c.Name(), arg)
	case e.opt.Lab != "" && e.opt.Lab != lab:
		return "", usagef(c, "%s: %q is not in lab %q", c.Name(), arg, e.opt.Lab)
	}
	e.opt.Lab = lab
	return node, nil
}

// nodes reads several: all of one lab.
func (e *editing) nodes(c *cobra.Command, args []string) ([]string, error) {
	out := make([]string, 0, len(args))
	for _, arg := range args {
		if !strings.Contains(arg, ".") && len(out) > 0 && strings.Contains(args[0], ".") {
			return nil, usagef(c, "%s: name the lab of all nodes, or of none (--lab): %s", c.Name(), strings.Join(args, " "))
		}
		n, err := e.node(c, arg)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// edit carries one out and tells of it. node is the one that it is about, for the hint when it is in another lab.
func (a *app) edit(c *cobra.Command, e *editing, node string, f func(context.Context, *warren.Warren) (*warren.EditReport, error)) error {
	if err := a.checkWait(c, e); err != nil {
		return err
	}
	return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
		report, err := f(ctx, w)
		a.endProgress()
		if err != nil {
			return elsewhere(w, e, node, err)
		}
		return a.reportEdit(report, e.asJSON)
	})
}

func (a *app) checkWait(c *cobra.Command, e *editing) error {
	switch {
	case e.opt.Wait < 0:
		return usagef(c, "%s: --wait %s is negative", c.Name(), e.opt.Wait)
	case a.noWait && c.Flags().Changed("wait"):
		return usagef(c, "%s: --wait and --no-wait contradict each other", c.Name())
	}
	return nil
}

// elsewhere adds where a node is that is not in the lab "default", which is the one that is meant when none is named.
func elsewhere(w *warren.Warren, e *editing, node string, err error) error {
	if e.opt.Lab != "" || node == "" || !errors.Is(err, warren.ErrNotExist) {
		return err
	}
	t, resolved := w.Resolve("", node)
	if resolved != nil || t.Lab == "" || t.Lab == topo.DefaultLab {
		return err
	}
	return fmt.Errorf("node %q of lab %q: %w (hint: there is one in lab %s: name it as %s.%s, or give --lab %s)",
		node, topo.DefaultLab, warren.ErrNotExist, t.Lab, t.Lab, node, t.Lab)
}

// reportEdit writes what was made to standard output, and the rest where people look.
func (a *app) reportEdit(r *warren.EditReport, asJSON bool) error {
	if asJSON {
		return a.printJSON(r)
	}
	for _, n := range r.Notes {
		a.note("%s", n)
	}
	for _, d := range r.Dropped {
		a.note("this check went with its node: %s", d)
	}
	for _, n := range r.Nodes {
		fmt.Fprintln(a.Out, strings.Join(append([]string{n.Name}, n.Addrs...), "  "))
	}
	if _, onTerminal := terminal(a.Out); !onTerminal {
		return nil
	}
	switch {
	case r.Down:
		fmt.Fprintf(a.Out, "%s is down: its last node went, %s\n", a.style(a.Out).bold(r.Lab), duration(r.Took.Round(time.Microsecond)))
	case len(r.Removed) > 0:
		fmt.Fprintf(a.Out, "removed: %s, %s\n", strings.Join(r.Removed, ", "), duration(r.Took.Round(time.Microsecond)))
	}
	for _, p := range r.Published {
		fmt.Fprintf(a.Out, "published: %s of %s\n", p.Port, p.Node)
	}
	for _, p := range r.Unpublished {
		fmt.Fprintf(a.Out, "no longer published: %s of %s\n", p.Port, p.Node)
	}
	return nil
}

// addresses reads --ip: an address, or one with its length.
func addresses(c *cobra.Command, list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := topo.ParseAddress(s)
		if err != nil {
			return nil, usagef(c, "%s: --ip: %w", c.Name(), err)
		}
		out = append(out, p)
	}
	return out, nil
}

func ports(c *cobra.Command, list []string) ([]topo.Publish, error) {
	var out []topo.Publish
	for _, s := range list {
		p, err := topo.ParsePublish(s)
		if err != nil {
			return nil, usagef(c, "%s: %w", c.Name(), err)
		}
		out = append(out, p)
	}
	return out, nil
}

// recorded is the lab that an edit is about, for completion; nil when there is none.
func (a *app) recorded(c *cobra.Command, args []string) *topo.Expanded {
	w, err := a.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	name, _ := c.Flags().GetString("lab")
	for _, arg := range args {
		if lab, _, dotted := strings.Cut(arg, "."); dotted {
			name = lab
		}
	}
	if name == "" {
		name = topo.DefaultLab
	}
	x, err := w.Recorded(name)
	if err != nil {
		return nil
	}
	return x
}

// completeOwn offers the nodes of the lab, and its nets when nets is set, for the first most arguments (< 0: for all).
func (a *app) completeOwn(most int, nets bool) completer {
	return func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, noFiles
		}
		x := a.recorded(c, append(slices.Clip(args), word))
		if x == nil {
			return nil, noFiles
		}
		lab, _, dotted := strings.Cut(word, ".")
		var names []string
		for _, n := range x.Nodes {
			if dotted {
				names = append(names, lab+"."+n.Name)
			} else {
				names = append(names, n.Name)
			}
		}
		if nets && len(args) > 0 {
			for _, n := range x.Nets {
				names = append(names, n.Name)
			}
		}
		return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(args, n) }), noFiles
	}
}

// completeNets offers the nets of the lab.
func (a *app) completeNets(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	x := a.recorded(c, args)
	if x == nil {
		return nil, noFiles
	}
	var names []string
	for _, n := range x.Nets {
		names = append(names, n.Name)
	}
	return names, noFiles
}
