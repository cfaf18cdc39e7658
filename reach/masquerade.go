package reach

import (
	"fmt"
	"net/netip"

	"warren/reach/filter"
)

// translator is the last namespace that gave a request another address, and the words in which the walk told it; nil = none did.
func (t *tracer) translator(o *outcome) (r *room, told string) {
	for _, s := range o.request.steps {
		if s.Packet == "" || s.Stage != "filter" {
			continue
		}
		for _, key := range t.used {
			if x := t.rooms[key]; x != nil && x.name() == s.Namespace {
				r, told = x, s.Text
			}
		}
	}
	return r, told
}

// givenAway explains an answer to an address that source NAT gave out and nobody has: he who gave it must have it.
func (t *tracer) givenAway(o *outcome, d *delivery) {
	w := o.reply.first()
	if w == nil || w.Code != NeighbourFailed || w.Namespace != d.r.name() || w.Object != "neighbour "+d.p.Src.String()+" dev "+d.dev.Name || o.from == d.p.Src.String() {
		return
	}
	r, told := t.translator(o)
	if r == nil || !contains(told, "snat ") || r.owns(d.p.Src) != nil {
		return
	}
	w.Text = fmt.Sprintf("%q sends under %s (%s), which it does not have, and so nobody answers for it in %q", r.name(), d.p.Src, told, d.r.name())
	w.Facts = append(w.Facts, fact("RTM_GETADDR", "%q has no %s", r.name(), d.p.Src))
	w.Namespace, w.Object = r.name(), "address "+d.p.Src.String()
	for i := range r.Addrs {
		if a := &r.Addrs[i]; a.Prefix.Contains(d.p.Src) {
			w.Fix = append(w.Fix, r.ip("addr add %s/%d dev %s", d.p.Src, d.p.Src.BitLen(), a.Link))
			break
		}
	}
}

// masqueradeFix makes the answers to packets from src to dst come back by a namespace: in the chain that there is for source NAT,
// else in one of its own.
func masqueradeFix(r *room, src, dst netip.Addr) string {
	family, match := "ip", fmt.Sprintf("ip saddr %s ip daddr %s", src, dst)
	if dst.Is6() {
		family, match = "ip6", fmt.Sprintf("ip6 saddr %s ip6 daddr %s", src, dst)
	}
	for i := range r.Tables {
		t := &r.Tables[i]
		if t.Family != family && t.Family != "inet" {
			continue
		}
		for _, c := range t.Chains {
			if c.Hook != nil && c.Hook.Type == "nat" && c.Hook.Hook == "postrouting" {
				return r.in("nft insert rule %s %s %s %s masquerade", t.Family, t.Name, c.Name, match)
			}
		}
	}
	for i := range r.XTables {
		if t := &r.XTables[i]; t.Name == "nat" && t.IPv6 == dst.Is6() {
			cmd := "iptables-legacy"
			if t.IPv6 {
				cmd = "ip6tables-legacy"
			}
			return r.in("%s -t nat -I POSTROUTING -s %s -d %s -j MASQUERADE", cmd, src, dst)
		}
	}
	return r.in("nft 'add table %[1]s hairpin; add chain %[1]s hairpin postrouting { type nat hook postrouting priority 100; }; add rule %[1]s hairpin postrouting %[2]s masquerade'", family, match)
}

// sentBack explains a packet that NAT on its way sends back to its sender: the sender takes it for a forgery of its own address,
// and would answer itself, not who rewrote it.
func (t *tracer) sentBack(o *outcome, d *delivery) {
	w := o.request.first()
	if w == nil || w.Code != MartianOwnSource || d.r.Namespace.Name != t.flow.Source || w.Namespace != d.r.name() || d.p.Dst == t.flow.Dst {
		return
	}
	r, told := t.translator(o)
	if r == nil || r == d.r {
		return
	}
	w.Text += fmt.Sprintf("; %q sent it back to where it comes from (%s) and left its source as it was", r.name(), told)
	w.Facts = append(w.Facts, fact("walk", "%q: %s", r.name(), told))
	w.Fix = fix(masqueradeFix(r, d.p.Src, d.p.Dst))
}

// bypassed explains an answer that comes from another address than was asked: it did not pass where the request was
// rewritten.
func (t *tracer) bypassed(o *outcome, back *delivery) Reason {
	w := Reason{Code: NATBypassed, Namespace: back.r.name(), Object: "nat", Facts: facts(fact("walk", "answer %s", packetText(back.p)))}
	if r, told := t.translator(o); r != nil {
		w.Namespace, w.Object = r.name(), told
		w.Facts = append(facts(fact("walk", "request %s", told)), w.Facts...)
		w.Fix = fix(masqueradeFix(r, back.p.Dst, back.p.Src))
		if contains(told, filter.Rewrite) {
			w.Fix = fix("# use dnat in place of writing into the packet: that rewrites the answers, too")
		}
		if key := "net.bridge.bridge-nf-call-iptables"; r.bridges() && back.p.Src.Is4() && r.sysctl("net/bridge/bridge-nf-call-iptables") == 0 {
			w.Fix = append(w.Fix, r.in("sysctl -w %s=1", key))
		}
	}
	w.Text = fmt.Sprintf("the answer comes from %s, and %s was asked: it did not pass %q, which rewrote the request", back.p.Src, t.flow.Dst, w.Namespace)
	if p := back.p; (p.Proto == filter.TCP || p.Proto == filter.UDP) && p.SPort != t.flow.Port {
		w.Text = fmt.Sprintf("the answer comes from %s, and %s was asked: it did not pass %q, which rewrote the request",
			netip.AddrPortFrom(p.Src, p.SPort), netip.AddrPortFrom(t.flow.Dst, t.flow.Port), w.Namespace)
	}
	return w
}

// echoes reports whether an answer is taken for that to an echo request, though it comes from another address: sockets know it by
// its identifier alone (ping_v4_lookup, raw_v4_input).
func (t *tracer) echoes(p *filter.Packet) bool {
	f := t.flow
	return (p.Proto == filter.ICMP || p.Proto == filter.ICMPv6) && (!f.From.IsValid() || p.Dst == f.From)
}

// bridges reports whether the namespace has a bridge.
func (r *room) bridges() bool {
	for i := range r.Links {
		if r.Links[i].Kind == "bridge" {
			return true
		}
	}
	return false
}
