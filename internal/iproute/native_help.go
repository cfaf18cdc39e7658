package iproute

import "strings"

// Objects are what the grammar under our own name is about, in the order of help.
func Objects() []string {
	return []string{"netns", "link", "addr", "route", "neigh", "rule", "bridge", "tuntap", "nexthop", "monitor", "maddress", "netconf", "addrlabel", "tunnel", "xfrm"}
}

// Usage is the grammar of an object, as under our own name; "" when there is no such object.
func Usage(object string) string {
	text := map[string]string{
		"netns": netnsUsage, "link": linkUsage, "addr": addrUsage, "route": routeUsage, "neigh": neighUsage, "rule": ruleUsage,
		"bridge": strings.Join([]string{bridgeLinkUsage, fdbUsage, mdbUsage, vlanUsage}, "\n"), "tuntap": tuntapUsage, "nexthop": nexthopUsage,
		"monitor": monitorUsage, "maddress": maddrUsage, "netconf": netconfUsage, "addrlabel": addrlabelUsage, "ss": ssUsage + ssUsageOwn,
		"tunnel": tunnelUsage, "xfrm": strings.Join([]string{xfrmStateUsage, xfrmPolicyUsage, xfrmMonitorUsage}, "\n"),
	}[object]
	if object == "netns" {
		text = strings.Replace(text, "netns delete NAME", "netns delete NAME [ --wait ] [ --return ]", 1) +
			"\n--wait waits until the kernel is done. --return gives physical devices back to where warren moved them from,\nelse to this namespace;" +
			"\nwithout it the kernel gives them to the initial one."
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(line, "Usage: ")
		for _, prefix := range []string{"ip ", "bridge "} {
			trimmed := strings.TrimLeft(line, " ")
			if rest, ok := strings.CutPrefix(trimmed, prefix); ok {
				if prefix == "bridge " {
					rest = "bridge " + rest
				}
				line = "warren " + rest
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// Verbs are what an object can be told to do, for completion.
func Verbs(object string) []string {
	change := []string{"add", "change", "replace", "del", "show", "flush", "help"}
	return map[string][]string{
		"netns": {"list", "add", "attach", "set", "delete", "identify", "pids", "exec", "monitor", "list-id", "help"},
		"link":  {"show", "add", "set", "del", "property", "help"}, "addr": change, "route": append([]string{"append", "get"}, change...),
		"neigh": append([]string{"get"}, change...), "rule": {"show", "add", "del", "flush", "help"},
		"bridge": {"link", "fdb", "mdb", "vlan", "monitor", "help"}, "tuntap": {"show", "add", "del", "help"},
		"nexthop": {"show", "add", "replace", "del", "get", "flush", "help"}, "monitor": {"all", "link", "address", "route", "neigh", "rule", "nsid", "help"},
		"maddress": {"show", "add", "del", "help"}, "netconf": {"show", "help"}, "addrlabel": {"list", "add", "del", "flush", "help"},
		"tunnel": {"show", "add", "change", "delete", "prl", "6rd", "help"}, "xfrm": {"state", "policy", "monitor", "help"},
	}[object]
}

// TakesValue reports whether an option in front of an object, with its dashes, has its value in the next word. ok is false
// when there is no such option.
func TakesValue(option string) (value, ok bool) {
	name := option
	if len(name) > 1 && name[1] == '-' {
		name = name[1:]
	}
	for _, o := range ipOptions() {
		if matches(name, o.name) {
			switch o.name {
			case "-loops", "-family", "-batch", "-rcvbuf", "-netns":
				return true, true
			}
			return false, true
		}
	}
	return false, false
}

// ssObject is "warren -n NS ss": with the options in front that ss has too.
func ssObject(s *session, w *words) {
	args := w.rest()
	w.at = len(w.list)
	for _, o := range []struct {
		on   bool
		word string
	}{{s.opt.json, "--json"}, {s.opt.numeric, "--numeric"}, {s.opt.oneline, "--oneline"}, {s.opt.details, "--extended"}} {
		if o.on {
			args = append([]string{o.word}, args...)
		}
	}
	if s.opt.all {
		args = append([]string{"--all-netns"}, args...)
	}
	s.code = MainSS(args, s.opt.netns, s.stdio, s.deps)
}
