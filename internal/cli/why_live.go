package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"warren"
	"warren/draw"
	"warren/reach"
)

// liveVerdict sends the probe, too.
func (a *app) liveVerdict(ctx context.Context, q warren.WhyQuery) (v warren.LiveVerdict, err error) {
	err = a.with(ctx, func(ctx context.Context, w *warren.Warren) error {
		v, err = w.WhyLive(ctx, q)
		return err
	})
	return v, err
}

// printLive prints the verdict with a second mark at each step, and what the kernel said.
func (a *app) printLive(v *warren.LiveVerdict, format string, explain int) error {
	if format == "json" {
		return a.printJSON(v)
	}
	marked := marked(v)
	if format == "svg" {
		return a.printVerdict(&marked, format, explain)
	}
	st := a.style(a.Out)
	text := draw.Verdict(&marked, draw.VerdictOptions{Color: bool(st), Explain: explain})
	first, rest, _ := strings.Cut(text, "\n")
	_, err := io.WriteString(a.Out, first+"\n"+liveHead(v)+rest+liveTail(v))
	return err
}

// marked is the verdict whose steps say how they compare.
func marked(v *warren.LiveVerdict) reach.Verdict {
	out := v.Verdict
	out.Request, out.Reply = slices.Clone(v.Request), slices.Clone(v.Reply)
	for _, c := range v.Live.Steps {
		way := out.Request
		if c.Direction == reach.Reply {
			way = out.Reply
		}
		for i := range way {
			if way[i].Seq == c.Seq {
				way[i].Text += "  [" + strings.Replace(c.Status, "-", " ", 1)
				if c.Text != "" {
					way[i].Text += ": " + c.Text
				}
				way[i].Text += "]"
			}
		}
	}
	return out
}

const liveIndent = 12

func liveLine(head, text string) string { return fmt.Sprintf("%-*s%s\n", liveIndent, head, text) }

// liveHead says what became of the probe, and, before that, when the kernel contradicts the model.
func liveHead(v *warren.LiveVerdict) string {
	l := &v.Live
	var b strings.Builder
	if m := l.Model; m != nil && l.Agrees == reach.No {
		b.WriteString(liveLine("live", "THE KERNEL CONTRADICTS THE MODEL, and the kernel is right: "+l.Text))
		said := strings.ToUpper(m.Reachable)
		if m.Reason != nil {
			said += ", " + string(m.Reason.Code) + " in " + m.Reason.Namespace + ": " + m.Reason.Text
		}
		b.WriteString(liveLine("", "the model said: "+said+" (please report this)"))
		return b.String()
	}
	switch l.Agrees {
	case reach.Yes:
		b.WriteString(liveLine("live", "the kernel agrees: "+l.Text))
	default:
		b.WriteString(liveLine("live", l.Text))
	}
	return b.String()
}

// liveTail lists what was seen, in the order of the packet's way, and what was not.
func liveTail(v *warren.LiveVerdict) string {
	l := &v.Live
	var b strings.Builder
	p := &l.Probe
	if p.Src.IsValid() {
		fmt.Fprintf(&b, "\nseen (%s from %s to %s)\n", p.Proto, p.Src.Addr(), p.Dst.Addr())
	} else {
		b.WriteString("\nseen\n")
	}
	var lines []string
	first, times := map[string]int{}, map[string]int{}
	for _, e := range l.Events {
		if e.Event == "passed" {
			continue
		}
		what := seenText(e)
		if times[what]++; times[what] > 1 {
			continue
		}
		at := "nft trace"
		if e.At > 0 {
			at = "+" + e.At.Round(time.Microsecond).String()
		}
		first[what] = len(lines)
		lines = append(lines, fmt.Sprintf("  %-11s %s", at, what))
	}
	for what, n := range times {
		if n > 1 {
			lines[first[what]] += fmt.Sprintf("  (%d times)", n)
		}
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	for _, n := range l.Neighbours {
		fmt.Fprintf(&b, "  %-11s %-8s %s %s  %s %s %s\n", "neighbour", "", n.Namespace, n.Link, n.IP, n.State, n.MAC)
	}
	if len(l.Unseen) > 0 {
		b.WriteString("\nnot watched\n")
		for _, u := range l.Unseen {
			where := ""
			if u.Namespace != "" {
				where = " in " + u.Namespace
			}
			fmt.Fprintf(&b, "  %s%s: %s\n", u.Witness, where, u.Text)
		}
	}
	return b.String()
}

// seenText is an event without its time.
func seenText(e warren.LiveEvent) string {
	what := e.Event
	switch {
	case e.Object != "":
		what = e.Object + " -> " + e.Verdict
	case e.Reason != "":
		if e.Harmless {
			what = "put away,"
		}
		what += " " + e.Reason
		if e.Function != "" {
			what += " in " + e.Function
		}
	}
	return fmt.Sprintf("%-8s %s %s  %s  %s", e.Direction, e.Namespace, e.Link, what, e.Packet)
}
