package iproute

import "fmt"

// ipObject runs the object that the first word is a beginning of, in ip's order.
func ipObject(s *session, w *words) {
	objects := []verb{
		{"address", addrObject},
		{"addrlabel", addrlabelObject},
		{"maddress", maddrObject},
		{"route", routeObject},
		{"rule", ruleObject},
		{"neighbor", neighObject},
		{"neighbour", neighObject},
		{"ntable", ntableObject},
		{"ntbl", ntableObject},
		{"link", linkObject},
		{"l2tp", kernelObject("l2tp", "l2tp", l2tpUsage)},
		{"fou", kernelObject("fou", "fou", fouUsage)},
		{"ila", kernelObject("ila", "ila", ilaUsage)},
		{"macsec", kernelObject("macsec", "macsec", macsecUsage)},
		{"tunnel", tunnelObject},
		{"tunl", tunnelObject},
		{"tuntap", tuntapObject},
		{"tap", tuntapObject},
		{"token", tokenObject},
		{"tcpmetrics", tcpMetricsObject},
		{"tcp_metrics", tcpMetricsObject},
		{"monitor", ipMonitor},
		{"xfrm", xfrmObject},
		{"mroute", mrouteObject},
		{"mrule", mruleObject},
		{"netns", netnsObject},
		{"netconf", netconfObject},
		{"vrf", vrfObject},
		{"sr", srObject},
		{"nexthop", nexthopObject},
		{"mptcp", mptcpObject},
		{"ioam", ioamObject},
		{"stats", statsObject},
		{"help", func(*session, *words) { usageOf(ipUsage) }},
	}
	if s.personality == Warren && matches(w.peek(), "bridge") {
		w.skip()
		bridgeObject(s, w)
		return
	}
	if s.personality == Warren && w.peek() == "ss" {
		w.skip()
		ssObject(s, w)
		return
	}
	word := w.peek()
	if s.batched != nil && !keepsLinks(word) {
		defer func() { *s.batched++ }()
	}
	if !dispatch(s, w, objects) {
		hint := ""
		if s.opt.netns != "" {
			hint = fmt.Sprintf("\n(hint: to run a command in a namespace: %s netns exec %s %s)", s.personality, s.opt.netns, word)
		}
		fail(exitFailed, "Object \"%s\" is unknown, try \"%s help\".%s", word, s.personality, hint)
	}
}

// keepsLinks reports whether an object's commands leave links as they are.
func keepsLinks(word string) bool {
	for _, name := range []string{"address", "route", "rule", "neighbor", "neighbour", "nexthop", "maddress"} {
		if matches(word, name) {
			return true
		}
	}
	return false
}

// unknownObject refuses an object of iproute2 that this version does not have.
func unknownObject(name string) func(*session, *words) {
	return func(*session, *words) {
		fail(exitUsage, "ip %s is not supported by this version of warren: use iproute2's own ip for it.", name)
	}
}

// unknownVerb ends the command as iproute2 does.
func unknownVerb(object, word string) {
	die("Command \"%s\" is unknown, try \"ip %s help\".", word, object)
}
