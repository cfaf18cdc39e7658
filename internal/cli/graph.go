package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"warren"
	"warren/draw"
	"warren/state"
)

func (a *app) graph() *cobra.Command {
	var sel selection
	var all, plain bool
	var fold int
	c := &cobra.Command{
		Use:     "graph [LAB|FILE]",
		GroupID: groupSeeing,
		Short:   "Draw rooms, bridges, cables and addresses as text",
		Long: `Draw a lab as text. Every net is a rail that begins (●) where it is named; every room is a row, joined (├ ┼ ┴) to the
rails that it is plugged into; a rail that passes stays a plain line (│). Rooms that are alike become one row: h[1-50].

A FILE is drawn as it is declared, a LAB as it is now. Without either it is the lab of ./warren.yaml, as it is now when it
is up and as declared otherwise.
Exit status: 0, 1 an error, 2 wrong usage.`,
		Example: `  warren graph            the lab of ./warren.yaml
  warren graph shop       the lab called shop, as it is now
  warren graph lab.yaml   what a file declares
  warren graph --all      every namespace that has a name`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := sel.take(c, args); err != nil {
				return err
			}
			if all && (sel.lab != "" || sel.file != "") {
				return usagef(c, "graph: --all and a lab")
			}
			opt := draw.Options{ASCII: plain || ascii(), Color: bool(a.style(a.Out)), Fold: fold}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				picture, err := a.picture(ctx, w, sel, all, opt)
				if err != nil {
					return err
				}
				_, err = io.WriteString(a.Out, picture)
				return err
			})
		},
	}
	a.selectFlags(c, &sel)
	c.Flags().BoolVarP(&all, "all", "a", false, "every namespace that has a name, not one lab")
	c.Flags().BoolVar(&plain, "ascii", false, "use ASCII characters only (default: when the locale is not UTF-8)")
	c.Flags().IntVar(&fold, "fold", 5, "how many like rooms become one row; -1 = never")
	c.ValidArgsFunction = a.completeLabArg
	return c
}

func (a *app) picture(ctx context.Context, w *warren.Warren, sel selection, all bool, opt draw.Options) (string, error) {
	const parts = state.PartLinks | state.PartAddrs
	if all {
		s, err := w.Observe(ctx, state.Query{All: true, Parts: parts})
		if err != nil {
			return "", err
		}
		return draw.Snapshot(&s, opt), nil
	}
	if sel.file != "" {
		return a.declared(ctx, w, sel.file, opt)
	}
	name, err := sel.name(ctx, w)
	if err != nil {
		return "", err
	}
	opt.Lab = name
	s, err := w.Observe(ctx, state.Query{Lab: name, Names: []string{state.HostNS}, Parts: parts})
	if err != nil {
		return "", err
	}
	for _, n := range s.Namespaces {
		if n.Mark.Lab == name {
			return draw.Snapshot(&s, opt), nil
		}
	}
	if sel.lab != "" {
		return "", fmt.Errorf("lab %q: %w (hint: warren labs lists what is up)", name, warren.ErrNotExist)
	}
	a.note("%s is not up: drawn as declared", name)
	return a.declared(ctx, w, "", opt)
}

func (a *app) declared(ctx context.Context, w *warren.Warren, file string, opt draw.Options) (string, error) {
	lab, err := warren.Load(file)
	if err != nil {
		return "", err
	}
	change, err := w.Plan(ctx, lab)
	if err != nil {
		return "", err
	}
	opt.Lab = lab.Name
	return draw.Desired(&change.Expanded.Desired, opt), nil
}
