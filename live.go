package warren

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	onlive "warren/internal/live"
	"warren/netns"
	"warren/reach"
	"warren/reach/filter"
)

// Live is what the kernel says to a verdict, see [Warren.WhyLive].
type Live = onlive.Result

// A LiveEvent is something that was seen of a probe.
type LiveEvent = onlive.Event

// A LiveNeighbour is what became of asking for somebody's address.
type LiveNeighbour = onlive.Neighbour

// A LiveVerdict is a verdict and what the kernel says to it. Where the two differ the verdict is the kernel's, and Live.Model
// is what the walk had said.
type LiveVerdict struct {
	reach.Verdict
	Live Live `json:"live"`
}

// watchMost bounds in how many namespaces a probe is watched.
const watchMost = 64

// WhyLive asks as [Warren.Why] does, then sends the very packet that was asked about from a socket in the source namespace, and
// compares each step of the walk with what the kernel tells: nftables' trace, positions and drops seen by BPF, neighbours. What
// could not be seen is in Live.Unseen. It takes as long as an answer takes, without one up to five seconds, and leaves nothing
// behind. The errors are those of Why, and those of a probe that cannot be made.
func (w *Warren) WhyLive(ctx context.Context, q WhyQuery) (LiveVerdict, error) {
	v, err := w.Why(ctx, q)
	if err != nil {
		return LiveVerdict{Verdict: v}, err
	}
	d, err := reach.ParseDestination(q.Destination)
	if err != nil {
		return LiveVerdict{Verdict: v}, err
	}
	ask, err := liveQuestion(&v, &q, d)
	if err != nil {
		return LiveVerdict{Verdict: v}, err
	}
	o := onlive.Options{Question: ask, Armed: func() { w.point("live-armed") }}
	var missed []onlive.Unseen
	for i, name := range liveNamespaces(&v) {
		if i == watchMost {
			missed = append(missed, onlive.Unseen{Witness: onlive.ByTrace, Text: fmt.Sprintf("the walk passes more than %d namespaces, the rest is not watched", watchMost)})
			break
		}
		h, err := w.kernel.Open(ctx, name)
		if err != nil {
			if i == 0 {
				return LiveVerdict{Verdict: v}, fmt.Errorf("namespace %q: %w", name, err)
			}
			missed = append(missed, onlive.Unseen{Witness: onlive.ByTrace, Namespace: name, Text: err.Error()})
			continue
		}
		defer h.Close()
		o.Places = append(o.Places, onlive.Place{Name: name, Cookie: h.Cookie(), NS: h, Legacy: legacyTables(h, ask.Dst.Is6())})
	}
	names := nameBook{w: w}
	o.Name = func(cookie uint64) string { return names.of(ctx, cookie) }
	r, err := onlive.Run(ctx, o)
	if err != nil {
		return LiveVerdict{Verdict: v}, fmt.Errorf("probe from %q: %w", v.Query.Source, err)
	}
	r.Unseen = append(r.Unseen, missed...)
	if q.Unprivileged {
		r.Unseen = append(r.Unseen, onlive.Unseen{Witness: "probe", Text: "it was sent with every right: whether an ordinary user may send it is the walk's word alone"})
	}
	var out LiveVerdict
	out.Verdict, out.Live = onlive.Judge(v, r, d.Name == "out")
	return out, nil
}

// liveQuestion is the packet as the walk understood the question.
func liveQuestion(v *reach.Verdict, q *WhyQuery, d reach.Destination) (onlive.Question, error) {
	dst, err := netip.ParseAddr(v.Query.Dst)
	if err != nil {
		return onlive.Question{}, fmt.Errorf("destination: %w", err)
	}
	ask := onlive.Question{Proto: d.Proto, Dst: dst, Port: d.Port, From: q.From.Unmap(), Mark: q.Mark, TTL: q.TTL, Size: q.Size}
	if ask.Proto == 0 {
		ask.Proto = filter.ICMP
	}
	if a, err := netip.ParseAddr(v.Query.From); err == nil {
		ask.Expected = a
	}
	return ask, nil
}

// liveNamespaces are those of the walk, the source first.
func liveNamespaces(v *reach.Verdict) []string {
	out := []string{v.Query.Source}
	add := func(name string) {
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, way := range [][]reach.Step{v.Request, v.Reply} {
		for _, s := range way {
			add(s.Namespace)
		}
	}
	for _, name := range v.Snapshot.Namespaces {
		add(name)
	}
	return out
}

// legacyTables names the tables of legacy iptables that a namespace has: nobody traces their rules.
func legacyTables(h *netns.Handle, is6 bool) string {
	file, tool := "ip_tables_names", "iptables-legacy"
	if is6 {
		file, tool = "ip6_tables_names", "ip6tables-legacy"
	}
	var text []byte
	_ = h.Do(func() (err error) {
		text, err = os.ReadFile("/proc/thread-self/net/" + file)
		return err
	})
	if names := strings.Fields(string(text)); len(names) > 0 {
		slices.Sort(names)
		return tool + " (" + strings.Join(names, ", ") + ")"
	}
	return ""
}
