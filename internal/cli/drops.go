package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) drops() *cobra.Command {
	var asJSON bool
	var count int
	var limit time.Duration
	var opt warren.DropsOptions
	c := &cobra.Command{
		Use:     "drops [NS...]",
		GroupID: groupSeeing,
		Short:   "Tell which packets the kernel drops, where and why",
		Long: `Listen to the kernel and print every packet that it drops, in all namespaces of the host or in those that are named: when,
where, on which device, which packet, the kernel's reason and function, and what that means.

Drops that mean nothing are left out (--all shows them): packets that were put away after they did their work, and those to
multicast groups that nobody is in. Not every loss is a drop for the kernel: a missing route back, an unanswered ARP request or
"icmp_echo_ignore_all" make no event; "warren why" finds those.
It needs BPF and BTF: root of the machine itself, and a kernel with CONFIG_DEBUG_INFO_BTF. It ends with Ctrl-C.

Exit status: 0, 1 it cannot listen, 2 wrong usage.`,
		Example: `  warren drops                     all of the host
  warren drops shop.fw --count 1   wait for the next one in this namespace
  warren drops --for 10s --json    one JSON object a line`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if count < 0 || limit < 0 {
				return usagef(c, "drops: --count and --for are not negative")
			}
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				for _, name := range args {
					t, err := w.Resolve("", name)
					if err != nil {
						return err
					}
					opt.Namespaces = append(opt.Namespaces, t.NS)
				}
				if limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, limit)
					defer cancel()
				}
				opt.Ready = func() { a.note("listening for dropped packets") }
				seen := 0
				err := w.Drops(ctx, opt, func(d warren.Drop) error {
					if err := a.printDrop(d, asJSON); err != nil {
						return err
					}
					if seen++; seen == count {
						return errEnough
					}
					return nil
				})
				if errors.Is(err, errEnough) {
					return nil
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&opt.Harmless, "all", false, "those that mean nothing, too")
	c.Flags().IntVarP(&count, "count", "c", 0, "end after so many")
	c.Flags().DurationVar(&limit, "for", 0, "end after that time")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	c.ValidArgsFunction = a.completeNamespaces
	return c
}

func (a *app) printDrop(d warren.Drop, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(a.Out).Encode(d)
	}
	where := d.NS
	if d.Link != "" {
		where += ":" + d.Link
	}
	if where == "" {
		where = "-"
	}
	reason := d.Reason
	if d.Function != "" {
		reason += " @ " + d.Function
	}
	text := d.Text
	if d.Code != "" {
		text = string(d.Code) + ": " + text
	}
	s := a.style(a.Out)
	_, err := fmt.Fprintf(a.Out, "%s  %s  %s  %s\n", d.Time.Format("15:04:05.000"), where, d.Packet, s.dim(reason))
	if err == nil && text != "" {
		_, err = fmt.Fprintf(a.Out, "              %s\n", text)
	}
	return err
}
