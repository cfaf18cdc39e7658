package reach

import (
	"fmt"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// gaps doubts a namespace of which something could not be read, or changed during each attempt: what is not known there may
// stop the packet, or send it elsewhere.
func (t *tracer) gaps(r *room, tr *trail) {
	for _, u := range r.unread {
		if !t.matters(u.Object) {
			continue
		}
		d := unreadDoubt(r, u)
		if !tr.doubts(d.Namespace, d.Object) {
			tr.doubt(r, "link", d, true)
		}
	}
}

// matters reports whether a part may decide about the flow. Namespaces behind ids and the like are told where they are needed.
// What the machine's root alone can put into an ordinary user's world, and he alone can see, is in the snapshot, and taken
// for absent here: else no answer there would be certain.
func (t *tracer) matters(object string) bool {
	switch object {
	case "firewall", "iptables", "ebtables", "agents", "conntrack", "sysctls", "links", "addresses", "routes", "rules", "next hop objects", "neighbours",
		"proxied neighbours", "forwarding entries", "multicast groups", "queueing disciplines", "filters", "BPF programs", "VLANs of ports", "IP sets":
		return true
	case "sockets":
		return t.flow.Proto == filter.TCP || t.flow.Proto == filter.UDP
	}
	return strings.HasPrefix(object, "link ")
}

func unreadDoubt(r *room, u state.Unread) Doubt {
	return Doubt{
		Namespace: r.name(), Object: u.Object, Text: fmt.Sprintf("%s of %q could not be read: %s", u.Object, r.name(), u.Reason),
		Resolve: "ask again, as root of the namespace that owns it, or send a probe",
	}
}
