package live

import (
	"fmt"
	"slices"
	"strings"

	"warren/internal/probe"
	"warren/reach"
)

// What became of a step of the walk.
const (
	Confirmed    = "confirmed"    // the kernel was seen to do it
	NotSeen      = "not-seen"     // no witness told of it
	Contradicted = "contradicted" // the kernel did something else
)

// A Check compares a step of the walk with what was seen.
type Check struct {
	Direction string `json:"direction"`
	Seq       int    `json:"seq"` // the step's
	Status    string `json:"status"`
	Text      string `json:"text,omitempty"`
}

// A Model is what reach said, where the kernel says something else.
type Model struct {
	Reachable string        `json:"reachable"`
	Failed    *string       `json:"failed"`
	Reason    *reach.Reason `json:"reason"`
}

// A Result is what the kernel says to a verdict.
type Result struct {
	Version int `json:"version"`
	// Agrees: "yes", "no", or "unknown" when too little was seen.
	Agrees string `json:"agrees"`
	// Verdict is the kernel's: "yes", "no" or "unknown".
	Verdict string `json:"verdict"`
	// Text says in a line what became of the probe.
	Text string `json:"text"`
	// Model is what the walk said, where the kernel says something else or more: the verdict is the kernel's then.
	Model  *Model       `json:"model,omitempty"`
	Probe  Probe        `json:"probe"`
	Answer probe.Result `json:"answer"`
	// Dropped is where the packet died; nil = that was not seen.
	Dropped    *Event      `json:"dropped"`
	Steps      []Check     `json:"steps"`
	Events     []Event     `json:"events"`
	Neighbours []Neighbour `json:"neighbours"`
	Unseen     []Unseen    `json:"unseen"`
}

// Judge compares a verdict with what was seen. The kernel is right: the verdict that it returns is the kernel's wherever that
// is one. out: the question was whether packets leave the host.
func Judge(v reach.Verdict, r *Report, out bool) (reach.Verdict, Result) {
	j := &judge{v: &v, r: r, out: out}
	res := Result{
		Version: Version, Probe: r.Probe, Answer: r.Answer,
		Steps: []Check{}, Events: orEmpty(r.Events), Neighbours: orEmpty(r.Neighbours), Unseen: orEmpty(r.Unseen),
	}
	j.fatal = j.findDrop()
	res.Verdict = j.verdict()
	if res.Verdict != reach.Yes {
		res.Dropped = j.fatal
	} else {
		j.fatal = nil
	}
	res.Text = j.text(res.Verdict)
	for _, dir := range []string{reach.Request, reach.Reply} {
		res.Steps = append(res.Steps, j.way(dir, res.Verdict)...)
	}
	res.Agrees = j.agrees(res.Verdict)
	model := Model{v.Reachable, v.Failed, v.Reason}
	switch {
	case res.Verdict == reach.Unknown || res.Agrees == reach.Yes:
		return v, res
	case res.Agrees == reach.Unknown && v.Reachable != reach.Unknown:
		return v, res
	}
	res.Model = &model
	v.Reachable, v.Failed, v.Reason = res.Verdict, nil, nil
	if res.Verdict == reach.No {
		why := j.reason()
		v.Reason, v.Failed = &why, &why.Direction
	}
	return v, res
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

type judge struct {
	v     *reach.Verdict
	r     *Report
	out   bool
	fatal *Event
}

func (j *judge) steps(dir string) []reach.Step {
	if dir == reach.Reply {
		return j.v.Reply
	}
	return j.v.Request
}

// onWay reports whether the walk passes a namespace.
func (j *judge) onWay(dir, ns string) bool {
	return slices.ContainsFunc(j.steps(dir), func(s reach.Step) bool { return s.Namespace == ns })
}

// findDrop finds where the probe died, else its answer. A bridge may send copies to others, who throw them away: what is off
// the way, or was not meant for who dropped it, counts only when there is nothing else. The rule of the trace is put together
// with the kernel's reason.
func (j *judge) findDrop() *Event {
	rank := func(e *Event) int {
		n := 0
		if e.Direction == reach.Reply {
			n += 4
		}
		if e.Reason == "OTHERHOST" {
			n += 2
		}
		if !j.onWay(e.Direction, e.Namespace) {
			n++
		}
		if overload(e.Reason) {
			n += 8
		}
		return n
	}
	var best *Event
	for i := range j.r.Events {
		e := &j.r.Events[i]
		if e.drop() && e.Direction != Errors && !j.passedLater(e) && (best == nil || rank(e) < rank(best)) {
			best = e
		}
	}
	if best == nil {
		return nil
	}
	d := *best
	for _, e := range j.r.Events {
		if !e.drop() || e.Namespace != d.Namespace || e.Direction != d.Direction {
			continue
		}
		switch {
		case d.Object == "" && e.Object != "" && d.Reason == "NETFILTER_DROP":
			d.Object, d.Verdict = e.Object, e.Verdict
		case d.Reason == "" && e.Reason == "NETFILTER_DROP":
			d.Reason, d.Function, d.At, d.Event = e.Reason, e.Function, e.At, e.Event
		}
	}
	return &d
}

// passedLater reports whether a packet that was sent again after a drop got further than that.
func (j *judge) passedLater(e *Event) bool {
	steps := j.steps(e.Direction)
	at := -1
	for i, s := range steps {
		if s.Namespace == e.Namespace {
			at = i
		}
	}
	return at >= 0 && e.At > 0 && slices.ContainsFunc(j.r.Events, func(x Event) bool {
		in := func(s reach.Step) bool { return s.Namespace == x.Namespace }
		return x.Direction == e.Direction && x.At > e.At && !x.drop() && slices.ContainsFunc(steps[at+1:], in) && !slices.ContainsFunc(steps[:at+1], in)
	})
}

// A sight is what to look for in a namespace; an empty link or hook is any, no kinds are all but drops.
type sight struct {
	dir, ns, link, hook string
	kinds               []string
}

func (j *judge) saw(s sight) bool {
	return slices.ContainsFunc(j.r.Events, func(e Event) bool {
		return e.Direction == s.dir && e.Namespace == s.ns && (s.link == "" || e.Link == s.link) && (s.hook == "" || e.Hook == s.hook) &&
			(slices.Contains(s.kinds, e.Event) || len(s.kinds) == 0 && !e.drop())
	})
}

// sent reports whether a packet was seen to leave a namespace by a link.
func (j *judge) sent(dir, ns, link string) bool {
	return j.saw(sight{dir: dir, ns: ns, link: link, kinds: []string{Sent}})
}

// passed reports whether a packet was seen at one of our chains.
func (j *judge) passed(dir, ns, link, hook string) bool {
	return j.saw(sight{dir: dir, ns: ns, link: link, hook: hook, kinds: []string{Passed}})
}

// arrived reports whether the probe was seen at the end of its way: past the rules of the last namespace.
func (j *judge) arrived() bool {
	steps := j.v.Request
	if len(steps) == 0 {
		return false
	}
	last := steps[len(steps)-1].Namespace
	return j.passed(reach.Request, last, "", "input") ||
		!slices.Contains(j.r.Traced, last) && j.saw(sight{dir: reach.Request, ns: last, kinds: []string{Received}})
}

// left reports whether the probe was seen to leave by the last device of the walk.
func (j *judge) left() bool {
	for _, s := range slices.Backward(j.v.Request) {
		if dev, ok := strings.CutPrefix(s.Object, "link "); ok && s.Stage == "link" {
			return j.sent(reach.Request, s.Namespace, dev) || j.passed(reach.Request, s.Namespace, dev, "postrouting")
		}
	}
	return false
}

// verdict is the kernel's.
func (j *judge) verdict() string {
	a := &j.r.Answer
	switch {
	case j.v.Reason != nil && j.v.Reason.Code == reach.ProbePermission:
		return reach.Unknown // who lacks a right would not have sent it
	case a.OK && j.r.Probe.Proto == "tcp" && j.fatal != nil:
		return reach.No // the connection's third packet was lost: no data will flow
	case a.OK:
		return reach.Yes
	case a.Code == probe.Failed:
		return reach.Unknown
	case a.Code != probe.Timeout || j.fatal != nil:
		return reach.No
	case j.out && j.left():
		return reach.Yes
	case j.r.Probe.Proto == "udp":
		// Who listens need not answer.
		if j.arrived() && (j.v.Failed == nil || *j.v.Failed == reach.Request) {
			return reach.Yes
		}
		if j.r.BPF || len(j.r.Traced) > 0 && !j.arrived() {
			return reach.No
		}
		return reach.Unknown
	}
	return reach.No
}

// text says what became of the probe.
func (j *judge) text(verdict string) string {
	a := &j.r.Answer
	switch {
	case a.OK && j.fatal == nil:
		return "the probe arrived, and the answer came back: " + a.Detail
	case verdict == reach.Yes && j.out:
		return "the probe left the host; nobody answered, which was not the question"
	case verdict == reach.Yes:
		return "the probe arrived; nobody answered, which who listens on UDP need not do"
	case a.Code == probe.Failed:
		return "the probe could not be made: " + a.Detail
	}
	what := a.Detail
	if a.OK {
		what = "connected, but no data would flow"
	}
	if j.fatal != nil {
		return what + "; " + dropText(j.fatal)
	}
	if n := j.silent(); n != nil {
		return fmt.Sprintf("%s; in %s nobody answers for %s on %s", what, n.Namespace, n.IP, n.Link)
	}
	if e := j.lastSeen(); e != nil && a.Code == probe.Timeout {
		return what + "; " + place(e, "last seen")
	}
	return what
}

// silent is the neighbour that did not answer: one that the walk asks, on a link by which the packet was not seen to leave.
func (j *judge) silent() *Neighbour {
	for i := range j.r.Neighbours {
		n := &j.r.Neighbours[i]
		if n.State == Answered {
			continue
		}
		for _, dir := range []string{reach.Request, reach.Reply} {
			asks := slices.ContainsFunc(j.steps(dir), func(s reach.Step) bool {
				return s.Namespace == n.Namespace && (dir == reach.Request && n.IP == j.r.Probe.Dst.Addr() || strings.Contains(s.Object+" "+s.Text+" ", n.IP.String()+" "))
			})
			if asks && !j.sent(dir, n.Namespace, n.Link) {
				return n
			}
		}
	}
	return nil
}

// lastSeen is where the packet that died was seen last, of the answer if there was one.
func (j *judge) lastSeen() *Event {
	var last *Event
	pos := -1
	for i := range j.r.Events {
		e := &j.r.Events[i]
		if e.Event == Rule || e.Direction == Errors {
			continue
		}
		at := 0
		if e.Direction == reach.Reply {
			at = 1000
		}
		for n, s := range j.steps(e.Direction) {
			if s.Namespace == e.Namespace {
				at += n + 1
				break
			}
		}
		if at > pos || at == pos && e.Witness != ByTrace {
			last, pos = e, at
		}
	}
	return last
}

// place says where an event was.
func place(e *Event, verb string) string {
	s := fmt.Sprintf("the %s was %s in %s", e.Direction, verb, e.Namespace)
	if e.Link != "" {
		s += " on " + e.Link
	}
	if e.Event == Passed {
		s += " (" + e.Hook + ")"
	}
	return s
}

func dropText(e *Event) string {
	s := place(e, "dropped")
	if e.Object != "" {
		s += " by " + e.Object
	}
	if e.Reason != "" {
		s += ", reason " + e.Reason
		if e.Function != "" {
			s += " in " + e.Function
		}
	}
	if e.Text != "" && e.Object == "" {
		s += ": " + e.Text
	}
	return s
}

// reason is the kernel's, in the walk's form.
func (j *judge) reason() reach.Reason {
	w := reach.Reason{Namespace: j.v.Query.Source, Object: "probe", Text: j.text(reach.No), Facts: []string{}, Fix: []string{}, Direction: reach.Request, Symptom: j.r.Answer.Detail}
	if e := j.fatal; e != nil {
		w.Code, w.Namespace, w.Direction, w.Text = e.Code, e.Namespace, e.Direction, dropText(e)
		w.Object = e.Object
		if w.Object == "" && e.Link != "" {
			w.Object = "link " + e.Link
		}
		w.Facts, w.Fix = append(w.Facts, dropText(e)+" ("+e.Witness+")"), ruleFix(e)
	} else if n := j.silent(); n != nil {
		w.Code, w.Namespace, w.Object = reach.NeighbourFailed, n.Namespace, "link "+n.Link
	} else if e := j.lastSeen(); e != nil {
		w.Namespace, w.Direction = e.Namespace, e.Direction
		if e.Link != "" {
			w.Object = "link " + e.Link
		}
	}
	return w
}
