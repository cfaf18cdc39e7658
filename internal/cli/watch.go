package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"warren"
	"warren/draw"
)

// errEnough ends a watch of so many events.
var errEnough = errors.New("enough")

func (a *app) watch() *cobra.Command {
	var asJSON bool
	var only []string
	var most int
	subjects := []string{"namespace", "link", "addr", "route", "rule"}
	c := &cobra.Command{
		Use:     "watch [NAMESPACE...]",
		GroupID: groupSeeing,
		Short:   "Tell what happens to the host's namespaces, as it happens",
		Long: `Write a line for everything that happens to the network namespaces of the host, also to those that appear later: one is made,
named, entered, gone, by which process and user; a link is added, moved, removed, up, down, changed; addresses, routes and rules
come and go. Without NAMESPACEs it is all of them.

Who made or entered a namespace is seen by BPF programs at the system calls; where that is not allowed a note says so, and
namespaces without a name are looked for once a second. To be heard a namespace gets an id in this one ("ip netns list-id"). When
the kernel dropped notifications everything is read anew: the line "resync" says so, and what is different follows.
Exit status: 0 when it was ended by a signal or --count, 1 an error, 2 wrong usage.`,
		Example: `  warren watch
  warren watch web db               two namespaces
  warren watch --only namespace     who makes and enters namespaces
  warren watch --json | jq .kind    one object a line, for a program`,
		RunE: func(c *cobra.Command, args []string) error {
			for _, o := range only {
				if !slices.Contains(subjects, o) {
					return usagef(c, "watch: unknown --only %q (%s)", o, strings.Join(subjects, ", "))
				}
			}
			if most < 0 {
				return usagef(c, "watch: --count %d", most)
			}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				wanted, err := watched(ctx, w, args)
				if err != nil {
					return err
				}
				seen := 0
				s := a.style(a.Out)
				o := warren.FollowOptions{
					Note:  func(err error) { a.note("%v", err) },
					Ready: func() { a.note("watching; ctrl-c ends it") },
				}
				err = w.Follow(ctx, o, func(e warren.HostEvent) error {
					subject, _, _ := strings.Cut(e.Kind, "-")
					if subject != "resync" && (len(only) > 0 && !slices.Contains(only, subject) || !wanted(e)) {
						return nil
					}
					if err := a.tell(e, s, asJSON); err != nil {
						return err
					}
					if seen++; seen == most {
						return errEnough
					}
					return nil
				})
				if errors.Is(err, errEnough) || errors.Is(err, unix.EPIPE) || ctx.Err() != nil {
					return nil
				}
				return err
			})
		},
	}
	c.Flags().StringSliceVar(&only, "only", nil, strings.Join(subjects, ", ")+" (several with commas)")
	c.Flags().IntVar(&most, "count", 0, "end after so many events; 0 = never")
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object a line")
	a.completeFlag(c, "only", fixed(subjects...))
	c.ValidArgsFunction = func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		names, d := a.completeNamespaces(c, nil, word)
		return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(args, n) }), d
	}
	return c
}

// watched tells which events are of the namespaces that were named. A name that is not there yet is one to wait for.
func watched(ctx context.Context, w *warren.Warren, args []string) (func(warren.HostEvent) bool, error) {
	if len(args) == 0 {
		return func(warren.HostEvent) bool { return true }, nil
	}
	var keys []string
	for _, arg := range args {
		key, err := w.Key(ctx, "", arg)
		switch {
		case errors.Is(err, warren.ErrNotExist) && !strings.ContainsAny(arg, ":/"):
			key = arg
		case err != nil:
			return nil, err
		}
		keys = append(keys, key)
	}
	cookies := map[uint64]bool{} // also after their names are gone
	return func(e warren.HostEvent) bool {
		if slices.Contains(keys, e.NS) || slices.Contains(keys, e.To) || slices.Contains(keys, e.Name) && e.Name != "" {
			if slices.Contains(keys, e.NS) || e.Name != "" {
				cookies[e.Cookie] = true
			}
			return true
		}
		return cookies[e.Cookie]
	}, nil
}

// tell writes an event.
func (a *app) tell(e warren.HostEvent, s style, asJSON bool) error {
	if asJSON {
		b, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		_, err = a.Out.Write(append(b, '\n'))
		return err
	}
	what := strings.Replace(e.Kind, "-", " ", 1)
	switch {
	case strings.HasSuffix(e.Kind, "-down"), strings.HasSuffix(e.Kind, "-removed"), strings.HasSuffix(e.Kind, "-gone"), e.Kind == "resync":
		what = s.red(what)
	case strings.HasSuffix(e.Kind, "-added"), strings.HasSuffix(e.Kind, "-made"), strings.HasSuffix(e.Kind, "-up"):
		what = s.green(what)
	}
	line := e.Time.Local().Format("15:04:05.000") + "  " + s.bold(dash(draw.Printable(e.NS))) + "  " + what
	if d := eventDetail(e); d != "" {
		line += "  " + draw.Printable(d)
	}
	_, err := io.WriteString(a.Out, line+"\n")
	return err
}

// eventDetail is what is said of an event beyond its kind.
func eventDetail(e warren.HostEvent) string {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Kind == "resync" {
		return "notifications were lost: everything is read anew"
	}
	add(e.Name)
	switch {
	case e.Addr != nil:
		add(e.Link + " " + draw.AddrText(*e.Addr))
	case e.Route != nil:
		add(draw.RouteText(*e.Route))
		if e.Route.Table != 0 {
			add(fmt.Sprintf("table %d", e.Route.Table))
		}
	case e.Rule != nil:
		add(draw.RuleText(*e.Rule))
	default:
		add(e.Link)
	}
	if e.State != nil && e.Kind == "link-added" {
		add(e.State.Kind)
		if e.State.Up {
			add("up")
		}
	}
	if e.Kind == "link-moved" && e.To != "" {
		add("to " + e.To)
	}
	add(strings.Join(e.Changes, ", "))
	if e.PID != 0 || e.Command != "" {
		who := "by"
		if e.PID != 0 {
			who += fmt.Sprintf(" %d", e.PID)
		}
		add(strings.TrimSpace(who + " " + short(e.Command, 60)))
		if e.User != "" {
			add("(" + e.User + ")")
		}
	}
	return strings.Join(parts, " ")
}
