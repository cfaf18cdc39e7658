package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"warren"
	"warren/draw"
	"warren/state"
)

// A drawing is what graph was asked for.
type drawing struct {
	sel    selection
	spaces []string // namespaces
	all    bool
	format string
	src    source
	opt    draw.Options
}

func (a *app) graph() *cobra.Command {
	var d drawing
	var plain bool
	var out string
	c := &cobra.Command{
		Use:     "graph [LAB|FILE|NAMESPACE...]",
		GroupID: groupSeeing,
		Short:   "Draw rooms, bridges, cables and addresses",
		Long: `Draw a lab, some namespaces with what is plugged into the same nets, or with --all every namespace of the host.

As text every net is a rail that begins (●) where it is named; every room is a row, joined (├ ┼ ┴) to the rails that it is
plugged into; a rail that passes stays a plain line (│). With --format svg rooms are boxes with a line for each port, bridges
are bars, cables are lines, and what is down is red and dashed; the picture follows the reader's choice of light or dark. "dot"
is for Graphviz, "mermaid" for Markdown, "json" for programs. Rooms that are alike become one: h[1-50].

A FILE (with a slash, or ending in .yaml or .yml) is drawn as it is declared, a LAB as it is now. Without either it is the lab
of ./warren.yaml, as it is now when it is up and as declared otherwise.
Exit status: 0, 1 an error, 2 wrong usage.`,
		Example: `  warren graph                             the lab of ./warren.yaml
  warren graph shop                        the lab called shop, as it is now
  warren graph lab.yaml                    what a file declares
  warren graph host web                    two namespaces and what is next to them
  warren graph --all --format svg -o h.svg a picture of the whole host
  warren graph --snapshot h.json           of a host that was saved`,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(draw.Formats(), d.format) {
				return usagef(c, "graph: unknown --format %q (%s)", d.format, strings.Join(draw.Formats(), ", "))
			}
			d.opt.ASCII = plain || ascii()
			d.opt.Color = out == "" && bool(a.style(a.Out))
			picture, err := a.picture(c, &d, args)
			if err != nil {
				return err
			}
			if out == "" || out == "-" {
				_, err = io.WriteString(a.Out, picture)
				return err
			}
			return os.WriteFile(out, []byte(picture), 0o644)
		},
	}
	a.selectFlags(c, &d.sel)
	c.Flags().BoolVarP(&d.all, "all", "a", false, "every namespace of the host, not one lab")
	c.Flags().StringVar(&d.format, "format", "text", strings.Join(draw.Formats(), ", "))
	c.Flags().StringVarP(&out, "output", "o", "", "file to write (default: standard output)")
	c.Flags().BoolVar(&plain, "ascii", false, "use ASCII characters only (default: when the locale is not UTF-8)")
	c.Flags().IntVar(&d.opt.Fold, "fold", 5, "how many like rooms become one; -1 = never")
	a.sourceFlag(c, &d.src)
	a.completeFlag(c, "format", fixed(draw.Formats()...))
	c.ValidArgsFunction = a.completeGraph
	return c
}

// picture finds out what is meant and draws it.
func (a *app) picture(c *cobra.Command, d *drawing, args []string) (picture string, err error) {
	if d.all && (d.sel.lab != "" || d.sel.file != "" || len(args) > 0) {
		return "", usagef(c, "graph: --all and a lab or namespaces")
	}
	if len(args) > 0 && (d.sel.lab != "" || d.sel.file != "") {
		return "", usagef(c, "%s: name the lab once: %q and --lab or --file", c.Name(), args[0])
	}
	if d.src.given() {
		return a.saved(c, d, args)
	}
	err = a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
		if err := d.take(ctx, w, args); err != nil {
			return err
		}
		picture, err = a.observed(ctx, w, d)
		return err
	})
	return picture, err
}

// take sorts the arguments: one FILE, one LAB, or namespaces.
func (d *drawing) take(ctx context.Context, w *warren.Warren, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case len(args) == 1 && isLabFile(args[0]):
		d.sel.file = args[0]
		return nil
	}
	labs, err := w.Labs(ctx)
	if err != nil {
		return err
	}
	if len(args) == 1 && slices.ContainsFunc(labs, func(l warren.LabInfo) bool { return l.Name == args[0] }) {
		d.sel.lab = args[0]
		return nil
	}
	for _, arg := range args {
		key, err := w.Key(ctx, "", arg)
		if err != nil && len(args) == 1 && state.CheckLabName(arg) == nil && errors.Is(err, warren.ErrNotExist) {
			return fmt.Errorf("lab or namespace %q: %w (hint: warren labs and warren ls list what is there)", arg, warren.ErrNotExist)
		}
		if err != nil {
			return err
		}
		d.spaces = append(d.spaces, key)
	}
	return nil
}

// isLabFile tells a file from LAB.NODE.
func isLabFile(arg string) bool {
	return arg == "-" || strings.Contains(arg, "/") && !strings.HasPrefix(arg, "/proc/") && !strings.HasPrefix(arg, "/run/") ||
		strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml")
}

// drawn is what a picture shows of a namespace.
const drawn = state.PartLinks | state.PartAddrs | state.PartSysctls

func (a *app) observed(ctx context.Context, w *warren.Warren, d *drawing) (string, error) {
	if d.all || len(d.spaces) > 0 {
		s, err := w.Observe(ctx, state.Query{Everywhere: true, Parts: drawn | state.PartOwner | state.PartProcesses | state.PartHolders})
		if err != nil {
			return "", err
		}
		a.noteUnread(s, d.src)
		d.opt.Only = d.spaces
		return d.draw(&s), nil
	}
	if d.sel.file != "" {
		return a.declared(ctx, w, d.sel.file, d)
	}
	name, err := d.sel.name(ctx, w)
	if err != nil {
		return "", err
	}
	d.opt.Lab = name
	s, err := w.Observe(ctx, state.Query{Lab: name, Names: []string{state.HostNS}, Parts: drawn &^ state.PartSysctls})
	if err != nil {
		return "", err
	}
	for _, n := range s.Namespaces {
		if n.Mark.Lab == name {
			return d.draw(&s), nil
		}
	}
	if d.sel.lab != "" {
		return "", fmt.Errorf("lab %q: %w (hint: warren labs lists what is up)", name, warren.ErrNotExist)
	}
	a.note("%s is not up: drawn as declared", name)
	return a.declared(ctx, w, "", d)
}

func (d *drawing) draw(s *state.Snapshot) string {
	return draw.SnapshotAs(s, draw.Format(d.format), d.opt)
}

// saved draws from a file: a lab, namespaces, or all of it.
func (a *app) saved(c *cobra.Command, d *drawing, args []string) (string, error) {
	if d.sel.file != "" {
		return "", usagef(c, "graph: --snapshot and --file")
	}
	s, err := warren.LoadSnapshot(d.src.file)
	if err != nil {
		return "", err
	}
	hasLab := func(name string) bool {
		return slices.ContainsFunc(s.Namespaces, func(n state.Namespace) bool { return n.Mark.Lab == name })
	}
	d.opt.Lab = d.sel.lab
	if len(args) == 1 && hasLab(args[0]) {
		d.opt.Lab, args = args[0], nil
	}
	if d.opt.Lab != "" && !hasLab(d.opt.Lab) {
		return "", fmt.Errorf("lab %q: %w in the snapshot", d.opt.Lab, warren.ErrNotExist)
	}
	for _, arg := range args {
		key, err := warren.KeyIn(s, "", arg)
		if err != nil {
			return "", err
		}
		d.opt.Only = append(d.opt.Only, key)
	}
	return d.draw(&s), nil
}

func (a *app) declared(ctx context.Context, w *warren.Warren, file string, d *drawing) (string, error) {
	lab, err := warren.Load(file)
	if err != nil {
		return "", err
	}
	change, err := w.Plan(ctx, lab)
	if err != nil {
		return "", err
	}
	d.opt.Lab = lab.Name
	return draw.DesiredAs(&change.Expanded.Desired, draw.Format(d.format), d.opt), nil
}

// completeGraph offers labs, namespaces and files.
func (a *app) completeGraph(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if isLabFile(word) {
		return labFiles(c, args, word)
	}
	var names []string
	if len(args) == 0 {
		names, _ = a.completeLabs(c, nil, word)
	}
	more, _ := a.completeNamespaces(c, nil, word)
	names = append(names, more...)
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(args, n) }), noFiles
}
