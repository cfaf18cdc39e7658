package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
)

// TestUnread: what could not be read of a namespace on the way makes the answer unknown and is named; elsewhere, or where it has
// no part in it, it changes nothing.
func TestUnread(t *testing.T) {
	ping := reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.2")}
	tcp := ping
	tcp.Proto, tcp.Port = filter.TCP, 80
	for _, c := range []struct {
		name   string
		unread state.Unread
		flow   reach.Flow
		object string
	}{
		{"rules", state.Unread{NS: "b", Object: "firewall", Reason: "they kept changing"}, ping, "firewall"},
		{"routes", state.Unread{NS: "a", Object: "routes", Reason: "they kept changing"}, ping, "routes"},
		{"programs", state.Unread{NS: "b", Object: "BPF programs", Reason: "operation not permitted"}, ping, "BPF programs"},
		{"programs-in-a-user's-world", state.Unread{NS: "b", Object: "BPF programs of the machine's root", Reason: "operation not permitted"}, ping, ""},
		{"elsewhere", state.Unread{NS: "c", Object: "firewall", Reason: "permission denied"}, ping, ""},
		{"sockets", state.Unread{NS: "b", Object: "sockets", Reason: "permission denied"}, tcp, "sockets"},
		{"sockets-are-not-for-ping", state.Unread{NS: "b", Object: "sockets", Reason: "permission denied"}, ping, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := p2()
			listening(s, "b")
			s.Unread = []state.Unread{c.unread}
			v, m := reach.Trace(s, c.flow)
			if !m.Empty() {
				t.Fatalf("missing %+v", m)
			}
			judge(t, v, c.object)
		})
	}
}
