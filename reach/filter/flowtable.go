package filter

import (
	"slices"
)

// offload is "flow add" (nft_flow_offload_eval): it takes a connection whose first packet has passed all rules (of TCP one whose
// handshake is done), and ends the rule for all others, as a comparison that fails. From then on the flowtable's devices forward
// its packets past the rules.
func (e *eval) offload() outcome {
	p, c := e.p, e.p.Conn
	switch {
	case c == nil || p.Untracked || p.Related || !c.Confirmed || c.Status&statusOffload != 0:
		return no
	case c.Proto == TCP:
		if p.TCPFlags&(FlagFIN|FlagRST) != 0 || c.TCPState != "ESTABLISHED" || !c.New && c.Status&statusAssured == 0 {
			return no
		}
	case c.Proto != UDP:
		return no
	}
	c.Status |= statusOffload
	return yes
}

// softened makes a stop of a packet whose connection a flowtable has just taken a doubt: those after it do not come here.
func softened(res *Result) {
	for i := range res.Stops {
		if s := &res.Stops[i]; s.Kind != Unknown {
			*s = Stop{Kind: Unknown, Rule: s.Rule, Why: "it stops a packet of a connection that a flowtable has taken already: those after it pass"}
		}
	}
}

// pastRules doubts what becomes of a packet whose connection is in a flowtable: it is forwarded as was found right when the
// connection was put in, and no rule sees it.
func (n *Namespace) pastRules(h Hook, p *Packet, res *Result) {
	if h.Name != "prerouting" || p.Conn == nil || p.Conn.New || p.Conn.Status&statusOffload == 0 {
		return
	}
	at := Rule{Backend: "nft", Family: h.Family, Table: "*", Chain: "flowtable"}
	for i := range n.ns.Tables {
		t := &n.ns.Tables[i]
		for _, f := range t.Flowtables {
			if slices.Contains(f.Devices, name(h.In)) && serves(t, Hook{Family: h.Family, Name: "forward"}) {
				at.Family, at.Table, at.Chain = t.Family, t.Name, "flowtable "+f.Name
			}
		}
	}
	res.Stops = append(res.Stops, Stop{Kind: Unknown, Rule: at, Why: "it forwards this connection's packets past all rules", Detour: true})
}
