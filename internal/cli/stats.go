package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"warren"
	"warren/draw"
	"warren/state"
)

// A tally is what stats was asked for.
type tally struct {
	every  time.Duration // of --watch; 0 = once
	over   time.Duration // of --rate; 0 = no rates
	by     string
	sum    bool
	asJSON bool
	active bool
	src    source
	keys   []string
}

// orders are the words of --sort.
func orders() []string { return []string{"name", "rate", "bytes", "packets", "errors", "drops"} }

func (a *app) stats() *cobra.Command {
	var t tally
	var watch string
	c := &cobra.Command{
		Use:     "stats [NAMESPACE...]",
		GroupID: groupSeeing,
		Short:   "Show what goes through namespaces and links",
		Long: `Show bytes, packets, errors and drops of every link, and their sums per namespace (lo left out), for all of the host or
some namespaces. With --rate there are two readings, that long apart, and what went through per second. With --watch the
table is written again and again, with rates: on a terminal in place, until q or ctrl-c; in a pipe as lines that begin with
the time.

Units are of 1,000. A link that is new, or whose counters fell, has no rate yet.
Exit status: 0, 1 an error, 2 wrong usage.`,
		Example: `  warren stats                      totals
  warren stats --rate 1s --sort rate who is busy
  warren stats --watch              a live table, every second
  warren stats web db --watch 5s    two namespaces, every five
  warren stats --json --rate 1s     for a program`,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if !slices.Contains(orders(), t.by) {
				return usagef(c, "stats: unknown --sort %q (%s)", t.by, strings.Join(orders(), ", "))
			}
			if c.Flags().Changed("watch") {
				isTime := func(s string) bool { _, err := time.ParseDuration(s); return err == nil }
				if i := slices.IndexFunc(args, isTime); i >= 0 && watch == defaultEvery { // "--watch 5s" as two words
					watch = args[i]
					args = slices.Delete(args, i, i+1)
				}
				if t.every, err = time.ParseDuration(watch); err != nil || t.every < 10*time.Millisecond {
					return usagef(c, "stats: --watch %q is no time of 10 ms or more", watch)
				}
			}
			switch {
			case t.src.given() && (t.every > 0 || t.over > 0):
				return usagef(c, "stats: a snapshot has no rates: --snapshot with --watch or --rate")
			case t.every > 0 && t.over > 0:
				return usagef(c, "stats: --watch and --rate")
			case t.over < 0:
				return usagef(c, "stats: --rate %s is not a time to wait", t.over)
			}
			if t.src.given() {
				return a.savedStats(&t, args)
			}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				for _, arg := range args {
					key, err := w.Key(ctx, "", arg)
					if err != nil {
						return err
					}
					t.keys = append(t.keys, key)
				}
				return a.count(ctx, w, &t)
			})
		},
	}
	c.Flags().StringVarP(&watch, "watch", "w", "", "write it again and again; every second, or this often")
	c.Flags().Lookup("watch").NoOptDefVal = defaultEvery
	c.Flags().DurationVar(&t.over, "rate", 0, "read twice, this far apart, and show rates")
	c.Flags().StringVar(&t.by, "sort", "name", strings.Join(orders(), ", ")+"; largest first")
	c.Flags().BoolVar(&t.sum, "sum", false, "only the sums of namespaces")
	c.Flags().BoolVar(&t.active, "active", false, "leave out what nothing ever went through")
	c.Flags().BoolVar(&t.asJSON, "json", false, "print the counters as JSON (with --watch: one line each time)")
	a.sourceFlag(c, &t.src)
	a.completeFlag(c, "sort", fixed(orders()...))
	c.ValidArgsFunction = func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		names, d := a.completeNamespaces(c, nil, word)
		return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(args, n) }), d
	}
	return c
}

const defaultEvery = "1s"

func (a *app) savedStats(t *tally, args []string) error {
	s, err := warren.LoadSnapshot(t.src.file)
	if err != nil {
		return err
	}
	for _, arg := range args {
		key, err := warren.KeyIn(s, "", arg)
		if err != nil {
			return err
		}
		t.keys = append(t.keys, key)
	}
	return a.printCounters(t, t.of(s, nil))
}

// read reads the counters.
func (t *tally) read(ctx context.Context, w *warren.Warren) (state.Snapshot, error) {
	q := state.Query{Everywhere: len(t.keys) == 0, Names: t.keys, Parts: state.PartLinks | state.PartStats}
	s, err := w.Observe(ctx, q)
	if err == nil {
		warren.Stamp(&s)
	}
	return s, err
}

// of makes the lines that were asked for.
func (t *tally) of(s state.Snapshot, before *state.Snapshot) []warren.Counter {
	list := warren.Counters(s, before)
	list = slices.DeleteFunc(list, func(c warren.Counter) bool {
		return t.sum && c.Link != "" || t.active && c.RxPackets+c.TxPackets == 0 || len(t.keys) > 0 && !slices.Contains(t.keys, c.NS)
	})
	warren.SortCounters(list, t.by)
	return list
}

func (a *app) count(ctx context.Context, w *warren.Warren, t *tally) error {
	s, err := t.read(ctx, w)
	if err != nil {
		return err
	}
	if t.every == 0 && t.over == 0 {
		a.noteUnread(s, t.src)
		return a.printCounters(t, t.of(s, nil))
	}
	if t.over > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(t.over):
		}
		now, err := t.read(ctx, w)
		if err != nil {
			return err
		}
		return a.printCounters(t, t.of(now, &s))
	}
	return a.live(ctx, w, t, s)
}

// live writes the counters until a signal comes. The next reading is due an interval after the former was, however long
// that took; one that is missed is left out.
func (a *app) live(ctx context.Context, w *warren.Warren, t *tally, before state.Snapshot) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGPIPE)
	defer stop()
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	screen := a.screen()
	defer screen.leave()
	if screen != nil {
		defer onKey(a.In, func(key byte) {
			if key == 'q' || key == 'Q' {
				stop()
			}
		}).close()
	}
	for {
		select {
		case <-ctx.Done():
			return nil // that is how one ends it
		case <-tick.C:
		}
		now, err := t.read(ctx, w)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		list := t.of(now, &before)
		before = now
		if err := a.writeLive(t, screen, list, now.Time); err != nil {
			if errors.Is(err, unix.EPIPE) {
				return nil
			}
			return err
		}
	}
}

func (a *app) writeLive(t *tally, screen *screen, list []warren.Counter, now time.Time) error {
	var b bytes.Buffer
	switch {
	case t.asJSON:
		line, err := json.Marshal(struct {
			Time     time.Time        `json:"time"`
			Counters []warren.Counter `json:"counters"`
		}{now, nonNil(list)})
		if err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		b.Write(append(line, '\n'))
	case screen != nil:
		fmt.Fprintf(&b, "%s  %d lines, by %s, every %s, q ends it\n\n", now.Local().Format(time.TimeOnly), len(list), t.by, t.every)
		counterTable(list, true).write(&b, a.style(a.Out))
		return screen.show(b.String())
	default:
		for _, c := range list {
			r := c.Rate
			if r == nil {
				r = &warren.Rate{}
			}
			fmt.Fprintf(&b, "%s %s %s in %.0f B/s %.0f p/s out %.0f B/s %.0f p/s errors %d drops %d\n", now.Local().Format(time.TimeOnly), c.NS,
				dash(c.Link), r.RxBytes, r.RxPackets, r.TxBytes, r.TxPackets, c.RxErrors+c.TxErrors, c.RxDropped+c.TxDropped)
		}
	}
	_, err := a.Out.Write(b.Bytes())
	return err
}

func (a *app) printCounters(t *tally, list []warren.Counter) error {
	if t.asJSON {
		return a.printJSON(nonNil(list))
	}
	a.writeTable(counterTable(list, t.over > 0))
	return nil
}

func counterTable(list []warren.Counter, rates bool) *table {
	t := &table{head: []string{"NAMESPACE", "LINK", "IN", "PACKETS", "OUT", "PACKETS", "ERRORS", "DROPS"}}
	if rates {
		t.head = append([]string{"NAMESPACE", "LINK", "IN/S", "PACKETS/S", "OUT/S", "PACKETS/S"}, t.head[2:]...)
	}
	for _, c := range list {
		row := []string{c.NS, dash(c.Link)}
		if rates {
			row = append(row, rateCells(c.Rate)...)
		}
		row = append(row, draw.Bytes(c.RxBytes), draw.Packets(c.RxPackets), draw.Bytes(c.TxBytes), draw.Packets(c.TxPackets),
			strconv.FormatUint(c.RxErrors+c.TxErrors, 10), strconv.FormatUint(c.RxDropped+c.TxDropped, 10))
		t.add(row...)
	}
	return t
}

func rateCells(r *warren.Rate) []string {
	if r == nil {
		return []string{"-", "-", "-", "-"}
	}
	return []string{draw.Bytes(uint64(r.RxBytes)), draw.Packets(uint64(r.RxPackets)), draw.Bytes(uint64(r.TxBytes)), draw.Packets(uint64(r.TxPackets))}
}
