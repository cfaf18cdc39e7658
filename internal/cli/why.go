package cli

import (
	"context"
	"errors"
	"io"
	"net/netip"

	"github.com/spf13/cobra"

	"warren"
	"warren/draw"
	"warren/reach"
)

func (a *app) why() *cobra.Command {
	var q warren.WhyQuery
	var src source
	var from, format string
	var mark uint32
	var asJSON, live bool
	var explain int
	c := &cobra.Command{
		Use:     "why SRC DST[:PORT][/tcp|udp|icmp]",
		GroupID: groupSeeing,
		Short:   "Tell whether a packet arrives, and if not, where it dies and what helps",
		Long: `Follow one packet from a namespace through routes, rules, neighbours, bridges, tunnels and sockets, and its answer back, as
the kernel would, without sending anything. The answer is the first cause, the namespace and the object it lies in, and the
command that removes it. What would be in the way next stands under "also". What cannot be told is named, never guessed.

SRC is a namespace: a node, LAB.NODE, a name, a path, pid:N, cookie:N, container:ID or host. DST is an address (IPv6 with a
port in brackets), a namespace, or "out" for anything outside the host. Without a port it is an echo request (ping); a port
is TCP's unless /udp follows. With --size the IP packet has that many bytes and may not be fragmented.

With --live the very packet is sent afterwards, from a socket in SRC, and every step is compared with what the kernel says:
the rules that nftables traces, where the packet was seen and why it was dropped (BPF), and who answered for an address.
Steps are then marked "confirmed", "not seen" or "contradicted" (in the SVG, when pointed at). Where the kernel says something
else than the walk, that is said first, and the kernel is right. What could not be watched is listed; an ordinary user gets
no BPF. It takes up to five seconds, and leaves nothing behind: the trace rules are in a table that the kernel removes when the
command ends, however it ends.

Reasons have stable codes: docs/reasons.md explains each.

Exit status: 0 yes, 1 no, 2 wrong usage, 3 it cannot be told.`,
		Example: `  warren why web db                  does a ping arrive, and come back?
  warren why web db:5432             a TCP connection
  warren why web 10.0.2.2:53/udp --from 10.0.1.7
  warren why web db --size 1500      a full-size packet that may not be fragmented
  warren why host out                is there a way out of this host?
  warren why web db:5432 --live      send it, and watch the kernel
  warren why a b --snapshot h.json   on what another host was`,
		Args: arguments(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			q.Source, q.Destination, q.Mark = args[0], args[1], mark
			q.Explain = explain != 0
			if _, err := reach.ParseDestination(q.Destination); err != nil {
				return usagef(c, "why: %w", err)
			}
			if from != "" {
				addr, err := netip.ParseAddr(from)
				if err != nil {
					return usagef(c, "why: --from %q is not an address", from)
				}
				q.From = addr
			}
			if asJSON {
				format = "json"
			}
			switch format {
			case "text", "json", "svg":
			default:
				return usagef(c, "why: --format %q is not text, json or svg", format)
			}
			if live && src.given() {
				return usagef(c, "why: --live sends a packet, and a snapshot has no kernel to send it with")
			}
			var v warren.LiveVerdict
			var err error
			if live {
				v, err = a.liveVerdict(c.Context(), q)
			} else {
				v.Verdict, err = a.verdict(c.Context(), src, q)
			}
			switch {
			case errors.Is(err, warren.ErrNotExist), errors.Is(err, warren.ErrAmbiguous), errors.Is(err, warren.ErrQuestion):
				return usagef(c, "why: %w", err)
			case err != nil: // 1 would be a "no"
				a.printError(err)
				return exit{3}
			}
			a.endProgress()
			if n := len(v.Request) + len(v.Reply); format == "text" && (explain < 0 || explain > n) {
				return usagef(c, "why: there is no step %d: the walk has %d", explain, n)
			}
			if live {
				err = a.printLive(&v, format, explain)
			} else {
				err = a.printVerdict(&v.Verdict, format, explain)
			}
			if err != nil {
				return err
			}
			switch v.Reachable {
			case reach.Yes:
				return nil
			case reach.No:
				return exit{1}
			}
			return exit{3}
		},
	}
	c.Flags().StringVar(&from, "from", "", "source address (default: the kernel's choice)")
	c.Flags().Uint32Var(&mark, "mark", 0, "firewall mark of the sender's socket (SO_MARK)")
	c.Flags().IntVar(&q.Size, "size", 0, "length of the IP packet in bytes, not to be fragmented")
	c.Flags().Uint8Var(&q.TTL, "ttl", 0, "TTL or hop limit (default 64)")
	c.Flags().StringVarP(&q.Lab, "lab", "l", "", "the lab whose nodes are meant")
	c.Flags().BoolVar(&live, "live", false, "send the packet, too, and compare each step with what the kernel says")
	c.Flags().BoolVar(&asJSON, "json", false, "print the verdict as JSON")
	c.Flags().StringVar(&format, "format", "text", "text, json or svg")
	c.Flags().IntVar(&explain, "explain", 0, "list the rules that step N looked at")
	a.sourceFlag(c, &src)
	a.completeFlag(c, "lab", a.completeLabs)
	a.completeFlag(c, "format", fixed("text", "json", "svg"))
	for _, f := range []string{"from", "mark", "size", "ttl", "explain"} {
		a.completeFlag(c, f, fixed())
	}
	c.ValidArgsFunction = a.completeWhy
	return c
}

// completeWhy offers namespaces to send from and to send to, and "out".
func (a *app) completeWhy(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, noFiles
	}
	names, directive := a.completeNamespaces(c, nil, word)
	if len(args) == 1 {
		names = append(names, "out")
	}
	return names, directive
}

func (a *app) verdict(ctx context.Context, src source, q warren.WhyQuery) (v reach.Verdict, err error) {
	if src.given() {
		s, err := warren.LoadSnapshot(src.file)
		if err != nil {
			return v, err
		}
		return warren.Why(&s, q)
	}
	err = a.with(ctx, func(ctx context.Context, w *warren.Warren) error {
		v, err = w.Why(ctx, q)
		return err
	})
	return v, err
}

func (a *app) printVerdict(v *reach.Verdict, format string, explain int) error {
	switch format {
	case "json":
		return a.printJSON(v)
	case "svg":
		_, err := io.WriteString(a.Out, draw.VerdictSVG(v))
		return err
	}
	_, err := io.WriteString(a.Out, draw.Verdict(v, draw.VerdictOptions{Color: bool(a.style(a.Out)), Explain: explain}))
	return err
}
