package topo

import (
	"slices"

	"warren/state"
)

// sysctls declares what a node's namespace needs. A new namespace takes its IPv4 settings from the initial one
// (net.core.devconf_inherit_init_net), so that those which matter are always said.
func (e *expander) sysctls() {
	for _, r := range e.nodes {
		set := func(key, value string) {
			if !slices.ContainsFunc(r.Node.Sysctl, func(s state.Sysctl) bool { return s.Key == key }) {
				r.Contents.Sysctls = append(r.Contents.Sysctls, state.Sysctl{Key: key, Value: value})
			}
		}
		if r.owned {
			set("net/ipv4/ip_forward", onOff(*r.Forward))
			if *r.Forward {
				set("net/ipv4/conf/all/rp_filter", "0")
				set("net/ipv4/conf/default/rp_filter", "0")
			}
			e.sysctls6(r, set)
		} else if *r.Forward {
			set("net/ipv4/ip_forward", "1")
			if r.has6 {
				set("net/ipv6/conf/all/forwarding", "1")
			}
		}
		r.Contents.Sysctls = append(r.Contents.Sysctls, r.Node.Sysctl...)
	}
}

// sysctls6: without any IPv6 net the node has none. With one it stays calm: no detection, no generated address (an explicit one
// is set), no router solicitations, no advertisements taken.
func (e *expander) sysctls6(r *room, set func(key, value string)) {
	if !r.has6 {
		set("net/ipv6/conf/default/disable_ipv6", "1")
		return
	}
	set("net/ipv6/conf/default/accept_dad", "0")
	set("net/ipv6/conf/default/addr_gen_mode", "1")
	set("net/ipv6/conf/default/router_solicitations", "0")
	set("net/ipv6/conf/default/accept_ra", "0")
	if *r.Forward {
		set("net/ipv6/conf/all/forwarding", "1")
	}
}

func onOff(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
