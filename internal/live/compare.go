package live

import (
	"fmt"
	"slices"
	"strings"

	"warren/reach"
)

// way compares the steps of one direction with what was seen.
func (j *judge) way(dir, verdict string) []Check {
	steps := j.steps(dir)
	out := make([]Check, len(steps))
	last, fails := -1, -1
	for i := range steps {
		s := &steps[i]
		out[i] = Check{Direction: dir, Seq: s.Seq, Status: NotSeen}
		if !s.OK && !s.Unknown {
			if fails < 0 {
				fails = i
			}
			continue
		}
		if text := j.witnessed(dir, s, i == len(steps)-1); text != "" {
			out[i].Status, out[i].Text = Confirmed, text
			last = i
		}
	}
	// Whoever got further was here, too, where the packet was seen in this namespace at all.
	for i := range steps {
		if out[i].Status == NotSeen && i < last && i != fails && j.saw(sight{dir: dir, ns: steps[i].Namespace}) {
			out[i].Status, out[i].Text = Confirmed, "seen further on"
		}
	}
	died := j.fatal
	if died != nil && died.Direction != dir {
		died = nil
	}
	switch {
	case fails >= 0:
		j.failing(dir, verdict, fails, &out[fails], died)
	case died != nil:
		at := min(last+1, len(out)-1)
		for i := range steps {
			if steps[i].Namespace == died.Namespace && i >= at {
				at = i
				break
			}
		}
		if at >= 0 && !steps[at].Unknown {
			out[at].Status, out[at].Text = Contradicted, "the kernel says: "+dropText(died)
		} else if at >= 0 {
			out[at].Text = "the kernel says: " + dropText(died)
		}
	}
	return out
}

// failing compares the step at which the walk says the packet dies.
func (j *judge) failing(dir, verdict string, at int, c *Check, died *Event) {
	s := &j.steps(dir)[at]
	switch beyond := j.beyond(dir, at); {
	case verdict == reach.Yes || dir == reach.Request && j.fatal != nil && j.fatal.Direction == reach.Reply:
		c.Status, c.Text = Contradicted, "the kernel says: the packet passed"
	case died != nil && fits(j.steps(dir), at, died):
		c.Status, c.Text = Confirmed, dropText(died)
	case died != nil:
		c.Status, c.Text = Contradicted, "the kernel says: "+dropText(died)
	case beyond != nil && slices.Contains(wanders(), s.Code):
		c.Status, c.Text = Confirmed, place(beyond, "seen")
	case beyond != nil:
		c.Status, c.Text = Contradicted, "the kernel says: "+place(beyond, "seen")
	case dir == reach.Reply && j.fatal != nil: // it did not come to that
	case verdict != reach.No, dir == reach.Reply && (j.v.Failed == nil || *j.v.Failed != reach.Reply):
	default:
		n := j.silent()
		switch {
		case n != nil && s.Stage == "neighbour":
			c.Status, c.Text = Confirmed, fmt.Sprintf("nobody answers for %s on %s in %s (%s)", n.IP, n.Link, n.Namespace, n.State)
		case !j.r.Answer.OK && j.r.Answer.Code != "" && (j.watched(s.Namespace) || j.v.Query.Source == s.Namespace):
			c.Status, c.Text = Confirmed, "nothing was seen beyond: "+j.r.Answer.Detail
		}
	}
}

// beyond is a sighting in a namespace to which the packet comes only after a step. A TCP connection is several packets, and the
// first of them may have passed where a later one does not.
func (j *judge) beyond(dir string, at int) *Event {
	steps := j.steps(dir)
	if j.r.Probe.Proto == "tcp" {
		return nil
	}
	for i := range j.r.Events {
		e := &j.r.Events[i]
		in := func(s reach.Step) bool { return s.Namespace == e.Namespace }
		if e.Direction == dir && !e.drop() && slices.ContainsFunc(steps[at+1:], in) && !slices.ContainsFunc(steps[:at+1], in) {
			return e
		}
	}
	return nil
}

// watched reports whether a packet that passed a namespace would have been seen there.
func (j *judge) watched(ns string) bool { return j.r.BPF || slices.Contains(j.r.Traced, ns) }

// witnessed says by what a step is seen to have happened; "" = it is not.
func (j *judge) witnessed(dir string, s *reach.Step, final bool) string {
	ns := s.Namespace
	dev, _ := strings.CutPrefix(s.Object, "link ")
	switch s.Stage {
	case "link", "tunnel":
		if dev != s.Object && j.sent(dir, ns, dev) {
			return "sent on " + dev
		}
		if dev != s.Object && j.passed(dir, ns, dev, "postrouting") {
			return "left by " + dev + " (nft trace)"
		}
	case "bridge":
		if _, port, ok := strings.Cut(s.Text, " by port "); ok && j.sent(dir, ns, port) {
			return "sent on " + port
		}
		if dev != s.Object && j.saw(sight{dir: dir, ns: ns, link: dev, kinds: []string{Sent, Received}}) {
			return "seen on " + dev
		}
	case "neighbour":
		if ip, _, ok := strings.Cut(strings.TrimPrefix(s.Object, "neighbour "), " dev "); ok {
			for _, n := range j.r.Neighbours {
				if n.Namespace == ns && n.IP.String() == ip && n.State == Answered {
					return fmt.Sprintf("%s answered: %s", ip, n.MAC)
				}
			}
		}
		if _, dev, ok := strings.Cut(s.Object, " dev "); ok && j.sent(dir, ns, dev) {
			return "sent on " + dev
		}
	case "route":
		_, rest, _ := strings.Cut(s.Text, " dev ")
		dev, _, _ := strings.Cut(rest, " ")
		dev = strings.TrimSuffix(dev, ",")
		if dev != "" && (j.sent(dir, ns, dev) || j.saw(sight{dir: dir, ns: ns, link: dev, kinds: []string{Passed, Rule}})) {
			return "went to " + dev
		}
	case "forward":
		if j.passed(dir, ns, "", "forward") {
			return "passed the hook forward"
		}
	case "filter":
		return j.filtered(dir, s)
	case "deliver", "socket":
		switch {
		case dir == reach.Reply && j.r.Answer.OK && final:
			return "the answer is there"
		case j.fatal != nil && j.fatal.Direction == dir && j.fatal.Namespace == ns:
			return ""
		case dir == reach.Request && j.r.Answer.OK:
			return "it was answered"
		case j.passed(dir, ns, "", "input"):
			return "passed the hook input"
		}
	}
	return ""
}

// filtered says what rules did at a step that passed them.
func (j *judge) filtered(dir string, s *reach.Step) string {
	var rules []string
	for _, v := range s.Visits {
		if !v.Matched || v.Rule.Backend != "nft" {
			continue
		}
		object := fmt.Sprintf("nft %s %s/%s handle %d", v.Rule.Family, v.Rule.Table, v.Rule.Chain, v.Rule.Handle)
		for _, e := range j.r.Events {
			if e.Event == Rule && e.Direction == dir && e.Namespace == s.Namespace && e.Object == object && e.Verdict != "drop" && !slices.Contains(rules, object) {
				rules = append(rules, object)
			}
		}
	}
	if len(rules) > 0 {
		return "nft trace: " + strings.Join(rules, ", ")
	}
	if _, hook, ok := strings.Cut(s.Object, " "); ok {
		switch hook {
		case "input", "forward", "postrouting": // our chain is the last one there
			if j.passed(dir, s.Namespace, "", hook) {
				return "passed the hook " + hook
			}
		}
	}
	return ""
}

// kinds groups codes that one reason of the kernel's stands for.
func kinds() [][]reach.Code {
	return [][]reach.Code{
		{reach.FilterDrop, reach.FilterReject, reach.RPFRule, reach.CTInvalid, reach.NATPortsTaken, reach.NDPFiltered, reach.ARPFiltered},
		{reach.NoListener, reach.ListenerWrongAddress, reach.ListenerWrongDevice, reach.ListenerWrongFamily, reach.VXLANPort, reach.ProbePermission},
		{
			reach.NoRoute, reach.NoReturnRoute, reach.RouteBlackhole, reach.RouteUnreachable, reach.RouteProhibit, reach.RouteDead,
			reach.VXLANUnderlayNoRoute, reach.ForwardingDisabled,
			reach.LinkDown, reach.PeerDown, reach.ParentDown, reach.BridgeDown, // a link that is down takes its routes along
		},
		{reach.MTUPeer, reach.MTUBridgePort, reach.MTUExceeded},
		{reach.PortNotForwarding, reach.BridgeDown, reach.LinkDown},
	}
}

// wanders lists the causes that send a packet to where it should not go: what drops it there is only the consequence.
func wanders() []reach.Code {
	return []reach.Code{
		reach.NATBypassed, reach.ReplyMisrouted, reach.RouteShadowed, reach.RuleTableEmpty, reach.Loop, reach.StaleConntrack, reach.DuplicateAddress,
		reach.StaleNeighbour, reach.NeighbourMACMismatch, reach.StaleFDB, reach.NoARP, reach.PMTUBlackhole,
	}
}

// fits reports whether the drop that was seen is the one that the walk tells at a step. Where a packet's neighbour is not
// found, the drop is with who asks, and the cause anywhere on the way to the neighbour, which may lead through a tunnel.
func fits(steps []reach.Step, at int, e *Event) bool {
	s := &steps[at]
	if slices.Contains(wanders(), s.Code) {
		return true
	}
	if e.Code == reach.NeighbourFailed {
		if slices.ContainsFunc(steps[at:], func(s reach.Step) bool { return s.Stage == "tunnel" }) {
			return true
		}
		return s.Stage == "neighbour" || s.Stage == "bridge" || s.Stage == "link" || s.Stage == "filter" || s.Stage == "tunnel" || s.Stage == "validate" || s.Stage == "deliver"
	}
	switch e.Code {
	case reach.FilterDrop, reach.NoListener, reach.RPFilter, reach.ForwardingDisabled, reach.TTLExceeded:
		if s.Namespace != e.Namespace {
			return false
		}
	}
	if strings.HasPrefix(s.Object, "nft ") && strings.HasPrefix(e.Object, "nft ") && s.Object != e.Object {
		return false
	}
	if e.Code == "" || s.Code == e.Code {
		return true
	}
	for _, group := range kinds() {
		if slices.Contains(group, e.Code) && slices.Contains(group, s.Code) {
			return true
		}
	}
	return false
}

// agrees compares verdicts, and, of a no, the cause as far as the kernel tells one.
func (j *judge) agrees(verdict string) string {
	switch {
	case verdict == reach.Unknown || j.v.Reachable == reach.Unknown:
		return reach.Unknown
	case verdict != j.v.Reachable:
		return reach.No
	case verdict == reach.Yes || j.v.Failed == nil:
		return reach.Yes
	}
	s, at := j.failed()
	switch {
	case s == nil:
	case j.fatal != nil && (j.fatal.Direction != *j.v.Failed || !fits(j.steps(*j.v.Failed), at, j.fatal)):
		return reach.No
	case j.fatal == nil && !slices.Contains(wanders(), s.Code) && j.beyond(*j.v.Failed, at) != nil:
		return reach.No
	}
	return reach.Yes
}

// failed is the step at which the walk says the packet dies.
func (j *judge) failed() (*reach.Step, int) {
	if j.v.Reason == nil || j.v.Failed == nil {
		return nil, 0
	}
	steps := j.steps(*j.v.Failed)
	for i := range steps {
		if steps[i].Seq == j.v.Reason.Step {
			return &steps[i], i
		}
	}
	return nil, 0
}
