package draw

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"warren/reach"
)

// VerdictOptions of [Verdict]. The zero value is plain text.
type VerdictOptions struct {
	// Color paints the answer for a terminal.
	Color bool
	// Explain is the number of a step whose rules are all listed; 0 = none. Steps of the reply are counted on after those of
	// the request.
	Explain int
}

// Verdict writes the answer to "why": first the answer, then the reason, what was read, and the fix, then the walk, in which
// only the place where the packet dies is expanded.
func Verdict(v *reach.Verdict, o VerdictOptions) string {
	w := verdictWriter{v: v, o: o}
	w.head()
	if v.Reason != nil {
		w.reason(v.Reason)
	}
	w.confidence()
	w.walk()
	w.also()
	w.unknowns()
	return w.b.String()
}

type verdictWriter struct {
	b strings.Builder
	v *reach.Verdict
	o VerdictOptions
}

func (w *verdictWriter) paint(code, s string) string {
	if !w.o.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// QuestionText is the question in one line: "a -> 10.0.0.2:80/tcp".
func QuestionText(q *reach.Query) string {
	to := q.Dst
	switch {
	case q.Port != 0 && strings.Contains(to, ":"):
		to = fmt.Sprintf("[%s]:%d/%s", to, q.Port, q.Proto)
	case q.Port != 0:
		to = fmt.Sprintf("%s:%d/%s", to, q.Port, q.Proto)
	default:
		to += "/" + q.Proto
	}
	if q.Target != "" {
		to += " (" + q.Target + ")"
	}
	if q.Size != 0 {
		to += fmt.Sprintf(", %d bytes", q.Size)
	}
	return q.Source + " -> " + to
}

func (w *verdictWriter) head() {
	question := QuestionText(&w.v.Query)
	switch w.v.Reachable {
	case reach.Yes:
		fmt.Fprintf(&w.b, "%s   %s: it arrives, and the answer comes back\n", question, w.paint("1;32", "YES"))
	case reach.No:
		fmt.Fprintf(&w.b, "%s   %s: %s\n", question, w.paint("1;31", "NO"), Outcome(w.v))
	default:
		fmt.Fprintf(&w.b, "%s   %s: it cannot be told from what was read\n", question, w.paint("1;33", "UNKNOWN"))
	}
}

// Outcome says in a few words which way failed and where.
func Outcome(v *reach.Verdict) string {
	if v.Reason == nil || v.Failed == nil {
		return v.Reachable
	}
	return fmt.Sprintf("the %s fails at %s", *v.Failed, v.Reason.Namespace)
}

// indent is the width of the left column.
const indent = 12

func (w *verdictWriter) line(head, text string) {
	fmt.Fprintf(&w.b, "%-*s%s\n", indent, head, text)
}

func (w *verdictWriter) reason(r *reach.Reason) {
	w.line("reason", w.paint("1", string(r.Code))+"  "+r.Text)
	w.line("where", r.Object+" in "+r.Namespace)
	for _, f := range r.Facts {
		w.line("read", f)
	}
	if r.Symptom != "" {
		w.line("sender", "sees: "+r.Symptom)
	}
	for i, f := range r.Fix {
		head := ""
		if i == 0 {
			head = "fix"
		}
		w.line(head, f)
	}
}

func (w *verdictWriter) confidence() {
	s := &w.v.Snapshot
	at := ""
	if !s.Time.IsZero() {
		at = "snapshot " + s.Time.Format("15:04:05") + ", "
	}
	word := "certain"
	if len(w.v.Unknowns) > 0 {
		word = "limited"
	}
	w.line("confidence", fmt.Sprintf("%s (%s%s, %s)", word, at, count(len(s.Namespaces), "namespace"), count(len(w.v.Unknowns), "unknown")))
}

func (w *verdictWriter) walk() {
	if len(w.v.Request) == 0 && len(w.v.Reply) == 0 {
		return
	}
	ns, stage := 0, 0
	for _, part := range [][]reach.Step{w.v.Request, w.v.Reply} {
		for _, s := range part {
			ns, stage = max(ns, utf8.RuneCountInString(s.Namespace)), max(stage, len(s.Stage))
		}
	}
	w.part(reach.Request, w.v.Request, 0, ns, stage)
	if len(w.v.Reply) == 0 && w.v.Reachable == reach.No {
		w.b.WriteString("\nreply: not reached\n")
		return
	}
	w.part(reach.Reply, w.v.Reply, len(w.v.Request), ns, stage)
}

func (w *verdictWriter) part(name string, steps []reach.Step, base, ns, stage int) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprintf(&w.b, "\n%s\n", name)
	for _, s := range steps {
		mark, tail := w.paint("32", "ok"), ""
		switch {
		case s.Unknown:
			mark = w.paint("33", "? ")
		case !s.OK:
			mark = w.paint("31", "X ")
		}
		cause := w.cause(name, s)
		if cause {
			tail = "   <- here"
		}
		fmt.Fprintf(&w.b, "%3d %s  %-*s  %-*s  %s%s\n", base+s.Seq, mark, ns, s.Namespace, stage, s.Stage, s.Text, tail)
		if cause {
			for _, f := range w.v.Reason.Facts {
				fmt.Fprintf(&w.b, "%*s%s\n", ns+stage+12, "", f)
			}
		}
		if w.o.Explain == base+s.Seq {
			w.visits(s, ns+stage+12)
		}
	}
}

func (w *verdictWriter) cause(dir string, s reach.Step) bool {
	r := w.v.Reason
	return r != nil && w.v.Failed != nil && *w.v.Failed == dir && r.Step == s.Seq
}

// visits lists the rules that a step looked at.
func (w *verdictWriter) visits(s reach.Step, in int) {
	if len(s.Visits) == 0 {
		fmt.Fprintf(&w.b, "%*sno rule was looked at in this step\n", in, "")
		return
	}
	for _, x := range s.Visits {
		mark := "  "
		if x.Matched {
			mark = "=>"
		}
		name := fmt.Sprintf("%s %s %s %s", x.Rule.Backend, x.Rule.Family, x.Rule.Table, x.Rule.Chain)
		switch {
		case x.Rule.Policy:
			name += " policy"
		case x.Rule.Handle != 0:
			name += fmt.Sprintf(" handle %d", x.Rule.Handle)
		case x.Rule.Number != 0:
			name += fmt.Sprintf(" rule %d", x.Rule.Number)
		}
		fmt.Fprintf(&w.b, "%*s%s %s  %s", in, "", mark, name, x.Rule.Text)
		if x.Effect != "" {
			fmt.Fprintf(&w.b, "  -> %s", x.Effect)
		}
		w.b.WriteByte('\n')
	}
}

func (w *verdictWriter) also() {
	if len(w.v.Also) == 0 {
		return
	}
	head := "\nalso noticed\n"
	if w.v.Reachable == reach.No {
		head = "\nalso (what comes after the first cause is gone, or was noticed)\n"
	}
	w.b.WriteString(head)
	for _, r := range w.v.Also {
		fmt.Fprintf(&w.b, "  %s in %s: %s\n", r.Code, r.Namespace, r.Text)
		if len(r.Fix) > 0 {
			fmt.Fprintf(&w.b, "      fix: %s\n", r.Fix[0])
		}
	}
}

func (w *verdictWriter) unknowns() {
	if len(w.v.Unknowns) == 0 {
		return
	}
	w.b.WriteString("\nunknown\n")
	for _, u := range w.v.Unknowns {
		where := ""
		if u.Namespace != "" {
			where = " in " + u.Namespace
		}
		fmt.Fprintf(&w.b, "  %s%s: %s\n", u.Object, where, u.Text)
		if u.Resolve != "" {
			fmt.Fprintf(&w.b, "      what would tell: %s\n", u.Resolve)
		}
	}
}
