package live_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warren/internal/live"
	"warren/internal/probe"
	"warren/reach"
)

// walked is a walk a - r - b whose request dies at a step, "" = nowhere.
func walked(code reach.Code) reach.Verdict {
	v := reach.Verdict{Query: reach.Query{Source: "a", Dst: "10.0.2.2", Proto: "icmp"}, Reachable: reach.Yes}
	step := func(way *[]reach.Step, ns, stage, object, text string, ok bool) {
		s := reach.Step{Seq: len(*way) + 1, Namespace: ns, Stage: stage, Object: object, Text: text, OK: ok}
		if !ok {
			s.Code = code
			dir := reach.Request
			v.Reachable, v.Failed = reach.No, &dir
			v.Reason = &reach.Reason{Code: code, Namespace: ns, Object: object, Text: text, Step: s.Seq, Direction: dir}
		}
		*way = append(*way, s)
	}
	q := &v.Request
	step(q, "a", "route", "route default dev va", "route default dev va table main, from 10.0.1.2", true)
	step(q, "a", "link", "link va", "va ==veth==> r:r1", true)
	if code != "" {
		step(q, "r", "filter", "nft inet f/c handle 4", "rule drops", false)
	}
	step(q, "r", "forward", "link r1", "forwarded from r1 to r2", true)
	step(q, "r", "link", "link r2", "r2 ==veth==> b:vb", true)
	step(q, "b", "deliver", "socket", "answers the echo request", true)
	p := &v.Reply
	step(p, "b", "link", "link vb", "vb ==veth==> r:r2", true)
	step(p, "r", "link", "link r1", "r1 ==veth==> a:va", true)
	step(p, "a", "deliver", "socket", "the answer is there", true)
	return v
}

func event(dir, ns, link, what string) live.Event {
	return live.Event{Witness: live.ByBPF, Direction: dir, Namespace: ns, Link: link, Event: what}
}

func drop(dir, ns, link, reason string, code reach.Code) live.Event {
	e := event(dir, ns, link, live.Dropped)
	e.Reason, e.Code, e.Text = reason, code, "it is so"
	return e
}

func at(e live.Event, t time.Duration) live.Event {
	e.At = t
	return e
}

func report(a probe.Result, events ...live.Event) *live.Report {
	return &live.Report{
		Probe:  live.Probe{Proto: "icmp", Src: netip.MustParseAddrPort("10.0.1.2:7"), Dst: netip.MustParseAddrPort("10.0.2.2:7")},
		Answer: a, Events: events, BPF: true, Traced: []string{"a", "r", "b"},
	}
}

func statuses(list []live.Check) (out []string) {
	for _, c := range list {
		out = append(out, c.Status)
	}
	return out
}

var (
	answered = probe.Result{OK: true, Code: probe.OK, Detail: "answer from 10.0.2.2"}
	silent   = probe.Result{Code: probe.Timeout, Detail: "no answer"}
)

func TestJudge(t *testing.T) {
	all := []live.Event{
		event(reach.Request, "a", "va", live.Sent), event(reach.Request, "r", "r1", live.Received), event(reach.Request, "r", "r2", live.Sent), event(reach.Request, "b", "vb", live.Received),
		event(reach.Reply, "b", "vb", live.Sent), event(reach.Reply, "r", "r2", live.Received), event(reach.Reply, "r", "r1", live.Sent), event(reach.Reply, "a", "va", live.Received),
	}
	rule := event(reach.Request, "r", "r2", live.Rule)
	rule.Witness, rule.Object, rule.Verdict = live.ByTrace, "nft inet f/c handle 4", "drop"
	other := rule
	other.Object = "nft inet f/c handle 5"
	nf := drop(reach.Request, "r", "r1", "NETFILTER_DROP", reach.FilterDrop)
	bystander := drop(reach.Request, "x", "vx", "OTHERHOST", reach.StaleNeighbour)
	const c, n, x = live.Confirmed, live.NotSeen, live.Contradicted
	for _, tt := range []struct {
		name                string
		v                   reach.Verdict
		r                   *live.Report
		agrees, verdict     string
		reachable, code, ns string // of the verdict that counts
		steps               []string
		model               string
	}{
		{"yes", walked(""), report(answered, all...), "yes", "yes", "yes", "", "", []string{c, c, c, c, c, c, c, c}, ""},
		{"yes-unwatched", walked(""), report(answered), "yes", "yes", "yes", "", "", []string{n, n, n, n, c, n, n, c}, ""},
		{"a-copy-is-thrown-away", walked(""), report(answered, append(all, bystander)...), "yes", "yes", "yes", "", "", []string{c, c, c, c, c, c, c, c}, ""},
		{"lost-and-sent-again", walked(""), report(silent, append(all[:2:2], at(drop(reach.Request, "r", "r1", "CPU_BACKLOG", ""), 1), at(event(reach.Request, "r", "r2", live.Sent), 2), at(event(reach.Request, "b", "vb", live.Received), 3), at(drop(reach.Request, "b", "vb", "IP_RPFILTER", reach.RPFilter), 4))...), "no", "no", "no", "rp-filter", "b", []string{c, c, c, c, x, n, n, n}, "yes"},
		{"no", walked(reach.FilterDrop), report(silent, append(all[:2:2], nf, rule)...), "yes", "no", "no", "filter-drop", "r", []string{c, c, c, n, n, n, n, n, n}, ""},
		{"no-by-another-rule", walked(reach.FilterDrop), report(silent, append(all[:2:2], nf, other)...), "no", "no", "no", "filter-drop", "r", []string{c, c, x, n, n, n, n, n, n}, "no"},
		{"no-elsewhere", walked(reach.FilterDrop), report(silent, append(all[:4:4], drop(reach.Request, "b", "vb", "IP_RPFILTER", reach.RPFilter))...), "no", "no", "no", "rp-filter", "b", []string{c, c, x, c, c, n, n, n, n}, "no"},
		{"no-seen-beyond", walked(reach.FilterDrop), report(silent, all[:4]...), "no", "no", "no", "", "b", []string{c, c, x, c, c, n, n, n, n}, "no"},
		{"said-yes-and-dies", walked(""), report(silent, append(all[:2:2], nf, rule)...), "no", "no", "no", "filter-drop", "r", []string{c, c, x, n, n, n, n, n}, "yes"},
		{"said-no-and-arrives", walked(reach.FilterDrop), report(answered, all...), "no", "yes", "yes", "", "", []string{c, c, x, c, c, c, c, c, c}, "no"},
		{
			"said-unknown", func() reach.Verdict { v := walked(""); v.Reachable = reach.Unknown; return v }(), report(answered, all...),
			"unknown", "yes", "yes", "", "",
			[]string{c, c, c, c, c, c, c, c},
			"unknown",
		},
		{"not-sent", walked(reach.FilterDrop), report(probe.Result{Code: probe.Failed, Detail: "no permission"}), "unknown", "unknown", "no", "filter-drop", "r", []string{n, n, n, n, n, n, n, n, n}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, got := live.Judge(tt.v, tt.r, false)
			code, ns, model := "", "", ""
			if v.Reason != nil {
				code, ns = string(v.Reason.Code), v.Reason.Namespace
			}
			if got.Model != nil {
				model = got.Model.Reachable
			}
			want := []string{tt.agrees, tt.verdict, tt.reachable, tt.code, tt.ns, tt.model}
			if diff := cmp.Diff(want, []string{got.Agrees, got.Verdict, v.Reachable, code, ns, model}); diff != "" {
				t.Errorf("-want +got:\n%s\n%s", diff, got.Text)
			}
			if diff := cmp.Diff(tt.steps, statuses(got.Steps)); diff != "" {
				t.Errorf("steps: -want +got:\n%s", diff)
			}
			if (v.Failed == nil) != (v.Reason == nil) || got.Text == "" || got.Version != live.Version {
				t.Errorf("failed %v, reason %v, %q", v.Failed, v.Reason, got.Text)
			}
		})
	}
}

// TestJudgeDatagram: who listens on UDP need not answer; and whoever asks whether packets leave the host wants no answer.
func TestJudgeDatagram(t *testing.T) {
	v := walked("")
	in := live.Event{Witness: live.ByTrace, Direction: reach.Request, Namespace: "b", Link: "vb", Event: live.Passed, Hook: "input"}
	r := report(silent, event(reach.Request, "a", "va", live.Sent), event(reach.Request, "b", "vb", live.Received), in)
	r.Probe.Proto = "udp"
	if _, got := live.Judge(v, r, false); got.Verdict != reach.Yes || got.Agrees != reach.Yes {
		t.Errorf("arrived: %s, agrees %s", got.Verdict, got.Agrees)
	}
	r.Events = r.Events[:1]
	if _, got := live.Judge(v, r, false); got.Verdict != reach.No || got.Agrees != reach.No {
		t.Errorf("lost on the way: %s, agrees %s", got.Verdict, got.Agrees)
	}
	r.Events, r.BPF, r.Traced = nil, false, nil
	if _, got := live.Judge(v, r, false); got.Verdict != reach.Unknown || got.Agrees != reach.Unknown {
		t.Errorf("nobody watched: %s, agrees %s", got.Verdict, got.Agrees)
	}
	out := report(silent, event(reach.Request, "a", "va", live.Sent), event(reach.Request, "r", "r2", live.Sent))
	if _, got := live.Judge(v, out, true); got.Verdict != reach.Yes || got.Agrees != reach.Yes {
		t.Errorf("left the host: %s, agrees %s: %s", got.Verdict, got.Agrees, got.Text)
	}
}
