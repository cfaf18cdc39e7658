package watch

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/state"
)

// contents is what is known of a namespace's network, so that a notification can be told from a repetition and what a lost
// one said can be found.
type contents struct {
	links  map[int]state.Link
	addrs  map[string]state.Addr
	routes map[string]state.Route
	rules  map[string]state.Rule
	names  rtnl.NameTable
	filled bool
	// seeded are routes and rules that were read when the namespace was found: their notifications may still come.
	seeded map[string]bool
}

func newContents() *contents {
	return &contents{
		links: map[int]state.Link{}, addrs: map[string]state.Addr{}, routes: map[string]state.Route{}, rules: map[string]state.Rule{},
		seeded: map[string]bool{},
	}
}

// fill takes over what was read, and returns what is new in it or not there any more.
func (c *contents) fill(n *state.Namespace) []Event {
	var out []Event
	now := map[int]bool{}
	for _, l := range n.Links {
		now[l.Index] = true
		out = append(out, c.link(l)...)
	}
	for _, i := range slices.Sorted(maps.Keys(c.links)) {
		if !now[i] {
			out = append(out, c.unlink(i))
		}
	}
	out = append(out, refill(c.addrs, n.Addrs, addrKey, func(a state.Addr, gone bool) Event {
		return Event{Kind: either(gone, AddrRemoved, AddrAdded), Link: a.Link, Addr: &a}
	})...)
	var routes []state.Route
	for _, r := range n.Routes {
		if worthTelling(r) {
			routes = append(routes, r)
			c.seeded[routeKey(r)] = true
		}
	}
	out = append(out, refill(c.routes, routes, routeKey, func(r state.Route, gone bool) Event {
		return Event{Kind: either(gone, RouteRemoved, RouteAdded), Route: &r}
	})...)
	for _, r := range n.Rules {
		c.seeded[ruleKey(r)] = true
	}
	rules := refill(c.rules, n.Rules, ruleKey, func(r state.Rule, gone bool) Event {
		return Event{Kind: either(gone, RuleRemoved, RuleAdded), Rule: &r}
	})
	if !c.filled {
		rules = slices.DeleteFunc(rules, func(e Event) bool { return standard(*e.Rule) })
		c.filled = true
	}
	return append(out, rules...)
}

// standard tells the rules that every namespace is born with.
func standard(r state.Rule) bool {
	for priority, table := range map[uint32]uint32{0: state.LocalTable, 32766: state.MainTable, 32767: 253} {
		if ruleKey(r) == ruleKey(state.Rule{IPv6: r.IPv6, Priority: priority, Table: table, Protocol: r.Protocol}) {
			return true
		}
	}
	return false
}

func either(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// refill makes have what is in list, and tells the differences: what went first.
func refill[T any](have map[string]T, list []T, key func(T) string, tell func(v T, gone bool) Event) []Event {
	var went, came []Event
	now := map[string]bool{}
	for _, v := range list {
		k := key(v)
		now[k] = true
		if _, known := have[k]; !known {
			came = append(came, tell(v, false))
		}
		have[k] = v
	}
	for _, k := range slices.Sorted(maps.Keys(have)) {
		if !now[k] {
			went = append(went, tell(have[k], true))
			delete(have, k)
		}
	}
	return append(went, came...)
}

// worthTelling leaves out the routes that the kernel makes for each of its own addresses.
func worthTelling(r state.Route) bool {
	return r.TableID() != state.LocalTable && !r.Dst.Addr().IsMulticast()
}

func addrKey(a state.Addr) string { return a.Link + " " + a.Prefix.String() + " " + a.Peer.String() }

// routeKey is all of a route: two that differ in anything are two.
func routeKey(r state.Route) string {
	for i := range r.NextHops {
		if r.NextHops[i].Flags&^state.NextHopOnLink != 0 { // what the kernel observed is no difference
			r.NextHops = slices.Clone(r.NextHops)
			for k := range r.NextHops {
				r.NextHops[k].Flags &= state.NextHopOnLink
			}
			break
		}
	}
	r.Flags = 0
	return text(r)
}

func ruleKey(r state.Rule) string { return text(r.Kept()) }

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("watch: " + err.Error()) // plain values always encode
	}
	return string(b)
}

// apply takes a notification in. What cannot be decoded is told as an error and changes nothing.
func (c *contents) apply(m netlink.Message) ([]Event, error) {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		if len(m.Data) < rtnl.IfinfoLen || m.Data[0] != unix.AF_UNSPEC {
			return nil, nil // a bridge's view of its port
		}
		l, err := rtnl.DecodeLink(m.Data, &c.names)
		if err != nil {
			return nil, err
		}
		if m.Header.Type == unix.RTM_NEWLINK {
			return c.link(l), nil
		}
		if _, known := c.links[l.Index]; !known {
			return nil, nil
		}
		e := c.unlink(l.Index)
		if id, moved := movedTo(m.Data); moved {
			e.Kind = LinkMoved
			if id >= 0 {
				e.To = fmt.Sprintf("id:%d", id)
			}
		}
		return []Event{e}, nil
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		a, err := rtnl.DecodeAddr(m.Data, &c.names)
		if err != nil {
			return nil, err
		}
		return c.addr(a, m.Header.Type == unix.RTM_DELADDR), nil
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		r, err := rtnl.DecodeRoute(m.Data, &c.names)
		if err != nil || !worthTelling(r) {
			return nil, err
		}
		return c.route(r, m), nil
	case unix.RTM_NEWRULE, unix.RTM_DELRULE:
		r, err := rtnl.DecodeRule(m.Data)
		if err != nil {
			return nil, err
		}
		return c.rule(r, m.Header.Type == unix.RTM_DELRULE), nil
	}
	return nil, nil
}

// Attributes of the last word on a link that moves away (linux/if_link.h).
const (
	iflaNewNetnsID = 45
	iflaNewIfindex = 49
)

// movedTo reads the id of the namespace that a link went to, as its former namespace knows it.
func movedTo(data []byte) (id int, moved bool) {
	id = -1
	rtnl.EachAttr(data[rtnl.IfinfoLen:], func(typ uint16, b []byte) {
		switch {
		case typ == iflaNewNetnsID && len(b) >= 4:
			id, moved = int(int32(binary.NativeEndian.Uint32(b))), true
		case typ == iflaNewIfindex:
			moved = true
		}
	})
	return id, moved
}

func (c *contents) link(l state.Link) []Event {
	was, known := c.links[l.Index]
	c.links[l.Index] = l
	c.names.Set(l.Index, l.Name)
	tell := func(kind string, changes ...string) Event {
		now := l
		return Event{Kind: kind, Link: l.Name, State: &now, Changes: changes}
	}
	if !known {
		return []Event{tell(LinkAdded)}
	}
	var out []Event
	if changes := linkChanges(was, l); len(changes) > 0 {
		out = append(out, tell(LinkChanged, changes...))
	}
	switch {
	case l.Up && !was.Up:
		out = append(out, tell(LinkUp))
	case !l.Up && was.Up:
		out = append(out, tell(LinkDown))
	}
	return out
}

// linkChanges says what is different, being up or not left out.
func linkChanges(a, b state.Link) []string {
	var list []string
	add := func(what, was, is string) {
		if was != is {
			list = append(list, fmt.Sprintf("%s %s to %s", what, cmp.Or(was, "none"), cmp.Or(is, "none")))
		}
	}
	add("name", a.Name, b.Name)
	add("mtu", fmt.Sprint(a.MTU), fmt.Sprint(b.MTU))
	add("mac", a.MAC.String(), b.MAC.String())
	add("master", a.Master, b.Master)
	add("alias", a.Alias, b.Alias)
	add("altnames", strings.Join(a.AltNames, " "), strings.Join(b.AltNames, " "))
	if a.Up == b.Up { // with up and down the operational state follows
		add("operstate", a.OperState, b.OperState)
	}
	return list
}

func (c *contents) unlink(index int) Event {
	l := c.links[index]
	delete(c.links, index)
	c.names.Remove(index)
	return Event{Kind: LinkRemoved, Link: l.Name, State: &l}
}

func (c *contents) addr(a state.Addr, gone bool) []Event {
	was, known := c.addrs[addrKey(a)]
	e := Event{Kind: AddrAdded, Link: a.Link, Addr: &a}
	switch {
	case gone:
		delete(c.addrs, addrKey(a))
		e.Kind = AddrRemoved
		if !known {
			return nil
		}
		return []Event{e}
	case known && was.Flags == a.Flags:
		c.addrs[addrKey(a)] = a
		return nil
	case known:
		e.Kind = AddrChanged
	}
	c.addrs[addrKey(a)] = a
	return []Event{e}
}

// route tells every notification, but for those of routes that were read already: the kernel removes the routes of a link
// that goes down without a word, so that one which is known may well be new.
func (c *contents) route(r state.Route, m netlink.Message) []Event {
	key := routeKey(r)
	if m.Header.Type == unix.RTM_DELROUTE {
		delete(c.routes, key)
		delete(c.seeded, key)
		return []Event{{Kind: RouteRemoved, Route: &r}}
	}
	_, known := c.routes[key]
	c.routes[key] = r
	if known && c.seeded[key] {
		delete(c.seeded, key)
		return nil
	}
	if m.Header.Flags&netlink.Replace != 0 {
		return []Event{{Kind: RouteChanged, Route: &r}}
	}
	return []Event{{Kind: RouteAdded, Route: &r}}
}

func (c *contents) rule(r state.Rule, gone bool) []Event {
	key := ruleKey(r)
	_, known := c.rules[key]
	if gone {
		delete(c.rules, key)
		return []Event{{Kind: RuleRemoved, Rule: &r}}
	}
	c.rules[key] = r
	if known && c.seeded[key] {
		delete(c.seeded, key)
		return nil
	}
	return []Event{{Kind: RuleAdded, Rule: &r}}
}
