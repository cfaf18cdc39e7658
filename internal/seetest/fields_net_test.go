package seetest_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"warren/state"
)

// linkFlags are those that ip prints, by bit (netdevice(7)). NO-CARRIER is ip's own.
func linkFlags(bits uint32) (list []string) {
	for _, f := range []struct {
		bit  uint32
		name string
	}{{1, "UP"}, {2, "BROADCAST"}, {8, "LOOPBACK"}, {0x10, "POINTOPOINT"}, {0x80, "NOARP"}, {0x100, "PROMISC"}, {0x200, "ALLMULTI"}, {0x1000, "MULTICAST"}, {0x10000, "LOWER_UP"}, {0x20000, "DORMANT"}, {0x40000, "ECHO"}} {
		if bits&f.bit != 0 {
			list = append(list, f.name)
		}
	}
	slices.Sort(list)
	return list
}

// words is a list of texts, sorted.
func words(v any) (list []string) {
	texts, _ := v.([]any)
	for _, t := range texts {
		if s := str(t); s != "NO-CARRIER" {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

func dict(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func flag(p *bool) string { return fmt.Sprint(p != nil && *p) }

func truth(v any) string { return fmt.Sprint(v == true || v == 1.0) }

func (f *fields) links() {
	var ours, theirs []string
	for _, l := range f.n.Links {
		mac := l.MAC.String()
		if l.Name == "lo" {
			mac = "00:00:00:00:00:00"
		}
		line := fmt.Sprintln(l.Index, l.Name, linkFlags(l.Flags), l.Up, l.MTU, l.OperState, l.Master, mac, l.TxQueueLen, l.Group, l.Alias, l.AltNames, l.Kind, l.NoAddrGen)
		if p := cmp.Or(l.Peer, l.Lower); p != nil && p.NSID < 0 {
			line += "link " + p.Name
		} else if p != nil {
			line += fmt.Sprint("link ", p.Index, " in ", p.NSID)
		}
		if b := l.Bridge; b != nil {
			line += fmt.Sprint(" bridge ", flag(b.STP), b.ForwardDelay, b.HelloTime, b.MaxAge, b.AgeingTime, b.Priority, flag(b.VLANFiltering), flag(b.MulticastSnoop), flag(b.MulticastQuerier), flag(b.NFCallIP))
		}
		if p := l.Port; p != nil {
			line += fmt.Sprint(" port ", []string{"disabled", "listening", "learning", "forwarding", "blocking"}[*p.State], p.Priority, p.Cost, flag(p.Hairpin), flag(p.Guard),
				flag(p.RootBlock), flag(p.FastLeave), flag(p.Learning), flag(p.Flood), flag(p.MulticastFlood), flag(p.BroadcastFlood), flag(p.NeighSuppress), flag(p.Isolated), flag(p.Locked))
		}
		if v := l.VXLAN; v != nil {
			line += fmt.Sprint(" vxlan ", v.ID, v.Remote, v.Port, flag(v.Learning))
		}
		if l.MACVLAN != nil {
			line += " " + l.MACVLAN.Mode
		}
		s := l.Stats
		line += fmt.Sprint(" stats ", s.RxBytes, s.RxPackets, s.RxErrors, s.RxDropped, s.TxBytes, s.TxPackets, s.TxErrors, s.TxDropped)
		ours = append(ours, line)
	}
	for _, l := range f.ip("-s", "link") {
		info := dict(l["linkinfo"])
		data, kind, slave := dict(info["info_data"]), str(info["info_kind"]), dict(info["info_slave_data"])
		flags := words(l["flags"])
		var line strings.Builder
		fmt.Fprintln(&line, str(l["ifindex"]), l["ifname"], flags, slices.Contains(flags, "UP"), str(l["mtu"]), l["operstate"], str(l["master"]), l["address"], str(l["txqlen"]), or(l["group"], "0"),
			str(l["ifalias"]), words(l["altnames"]), kind, l["inet6_addr_gen_mode"] == "none")
		switch {
		case l["link"] != nil:
			line.WriteString("link " + str(l["link"]))
		case data["link"] != nil:
			line.WriteString("link " + str(data["link"]))
		case l["link_index"] != nil:
			line.WriteString("link " + str(l["link_index"]) + " in " + str(l["link_netnsid"]))
		}
		if kind == "bridge" {
			fmt.Fprint(&line, " bridge ", truth(data["stp_state"]), str(data["forward_delay"]), " ", str(data["hello_time"]), " ", str(data["max_age"]), " ", str(data["ageing_time"]), " ", str(data["priority"]),
				truth(data["vlan_filtering"]), truth(data["mcast_snooping"]), truth(data["mcast_querier"]), truth(data["nf_call_iptables"]))
		}
		if slave != nil {
			fmt.Fprint(&line, " port ", slave["state"], str(slave["priority"]), " ", str(slave["cost"]))
			for _, k := range []string{"hairpin", "guard", "root_block", "fastleave", "learning", "flood", "mcast_flood", "bcast_flood", "neigh_suppress", "isolated", "locked"} {
				line.WriteString(truth(slave[k]))
			}
		}
		if kind == "vxlan" {
			fmt.Fprint(&line, " vxlan ", str(data["id"]), " ", data["remote"], " ", str(data["port"]), truth(data["learning"]))
		}
		if kind == "macvlan" {
			line.WriteString(" " + str(data["mode"]))
		}
		rx, tx := dict(dict(l["stats64"])["rx"]), dict(dict(l["stats64"])["tx"])
		fmt.Fprint(&line, " stats ", str(rx["bytes"]), " ", str(rx["packets"]), " ", str(rx["errors"]), " ", str(rx["dropped"]), " ", str(tx["bytes"]), " ", str(tx["packets"]), " ", str(tx["errors"]), " ", str(tx["dropped"]))
		theirs = append(theirs, line.String())
	}
	f.same("links", plain(ours), plain(theirs))
}

// plain takes blanks out: how Sprint puts them does not matter.
func plain(list []string) []string {
	for i, l := range list {
		list[i] = strings.Join(strings.Fields(strings.NewReplacer("true", " true ", "false", " false ").Replace(l)), " ")
	}
	return list
}

func (f *fields) addrs() {
	var ours, theirs []string
	forEver := func(d time.Duration) string { return fmt.Sprint(d == 0) }
	for _, a := range f.n.Addrs {
		var flags []string
		for _, w := range []struct {
			bit  uint32
			name string
		}{{1, "secondary"}, {state.AddrNoDAD, "nodad"}, {state.AddrDeprecated, "deprecated"}, {state.AddrTentative, "tentative"}, {state.AddrNoPrefixRoute, "noprefixroute"}} {
			if a.Flags&w.bit != 0 {
				flags = append(flags, w.name)
			}
		}
		if a.Flags&state.AddrPermanent == 0 {
			flags = append(flags, "dynamic")
		}
		peer, broadcast := "", ""
		if a.Peer.IsValid() {
			peer = a.Peer.String()
		}
		if a.Broadcast.IsValid() {
			broadcast = a.Broadcast.String()
		}
		deprecated := a.Flags&state.AddrDeprecated != 0
		ours = append(ours, fmt.Sprintln(a.Link, a.Prefix, "peer", peer, "brd", broadcast, a.Scope, a.Label, flags, forEver(a.Valid), deprecated || a.Preferred == 0))
	}
	for _, l := range f.ip("addr") {
		list, _ := l["addr_info"].([]any)
		for _, v := range list {
			a := dict(v)
			if len(a) == 0 {
				continue
			}
			var flags []string
			for _, w := range []string{"secondary", "nodad", "deprecated", "tentative", "noprefixroute", "dynamic"} {
				if has(a, w) {
					flags = append(flags, w)
				}
			}
			const ever = 4294967295.0
			theirs = append(theirs, fmt.Sprintln(l["ifname"], str(a["local"])+"/"+str(a["prefixlen"]), "peer", str(a["address"]), "brd", str(a["broadcast"]), or(a["scope"], "0"), str(a["label"]), flags,
				a["valid_life_time"] == ever, has(a, "deprecated") || a["preferred_life_time"] == ever))
		}
	}
	f.same("addresses", ours, theirs)
}

// prefix is a destination as ip prints it, with its length.
func prefix(v any, v6 bool) string {
	s := str(v)
	switch {
	case s == "default" && v6, s == "all" && v6, s == "" && v6:
		return "::/0"
	case s == "default", s == "all", s == "":
		return "0.0.0.0/0"
	case strings.Contains(s, "/"):
		return netip.MustParsePrefix(s).String()
	}
	a := netip.MustParseAddr(s)
	return netip.PrefixFrom(a, a.BitLen()).String()
}

func (f *fields) routes() {
	var ours, theirs []string
	addr := func(a netip.Addr) string {
		if !a.IsValid() {
			return ""
		}
		return a.String()
	}
	leads := func(kind string) bool {
		return !slices.Contains([]string{"blackhole", "unreachable", "prohibit", "throw"}, kind)
	}
	for _, r := range f.n.Routes {
		hops := []string{}
		for _, h := range r.NextHops {
			if leads(r.TypeName()) {
				hops = append(hops, fmt.Sprint(addr(h.Via), " dev ", h.Link, " ", max(1, h.Weight), h.Flags&state.NextHopOnLink != 0))
			}
		}
		m := r.Metrics
		pref := ""
		if r.Dst.Addr().Is6() {
			pref = []string{"medium", "high", "invalid", "low"}[r.Pref&3]
		}
		ours = append(ours, fmt.Sprintln(r.TypeName(), r.Dst, r.TableID(), r.Protocol, "scope", r.Scope, "tos", r.TOS, "metric", r.Metric, "src", addr(r.Src), "nhid", r.NextHopID, hops, "mtu", m.MTU, m.AdvMSS, pref))
	}
	for _, family := range []string{"-4", "-6"} {
		v6 := family == "-6"
		for _, r := range f.ip(family, "route", "show", "table", "all") {
			kind := named(r["type"], "unicast", "", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw")
			hops := []string{}
			hop := func(m map[string]any) {
				dead := words(m["flags"])
				hops = append(hops, fmt.Sprint(str(m["gateway"]), " dev ", str(m["dev"]), " ", or(m["weight"], "1"), slices.Contains(dead, "onlink")))
			}
			if list, ok := r["nexthops"].([]any); ok {
				for _, h := range list {
					hop(dict(h))
				}
			} else if leads(kind) {
				hop(r)
			}
			metrics := map[string]any{}
			if list, ok := r["metrics"].([]any); ok && len(list) > 0 {
				metrics = dict(list[0])
			}
			theirs = append(theirs, fmt.Sprintln(kind, prefix(r["dst"], v6), or(r["table"], "254"), or(r["protocol"], "3"), "scope", or(r["scope"], "0"), "tos", number(r["tos"]), "metric", or(r["metric"], "0"),
				"src", str(r["prefsrc"]), "nhid", or(r["nhid"], "0"), hops, "mtu", or(metrics["mtu"], "0"), or(metrics["advmss"], "0"), str(r["pref"])))
		}
	}
	f.same("routes", plain(ours), plain(theirs))
}

// named is a word that ip prints as a number when it is asked for numbers: one of words, by its position.
func named(v any, absent string, words ...string) string {
	s := or(v, absent)
	if n, err := strconv.Atoi(s); err == nil && n < len(words) {
		return words[n]
	}
	return s
}

// number is a number that ip may print in hexadecimal.
func number(v any) string {
	n := 0
	if _, err := fmt.Sscanf(str(v), "%v", &n); err != nil {
		return "0"
	}
	return fmt.Sprint(n)
}

func (f *fields) rules() {
	var ours, theirs []string
	pair := func(p [2]uint16) string {
		if p[0] == p[1] {
			p[1] = 0
		}
		return fmt.Sprint(p)
	}
	for _, r := range f.n.Rules {
		r = r.Kept()
		from, to := "all", "all"
		if r.From.IsValid() {
			from = r.From.String()
		}
		if r.To.IsValid() {
			to = r.To.String()
		}
		uids, suppress := "", ""
		if r.UIDs != nil {
			uids = fmt.Sprint(r.UIDs[0], " ", r.UIDs[1])
		}
		if r.SuppressPrefix != nil {
			suppress = fmt.Sprint(*r.SuppressPrefix)
		}
		ours = append(ours, fmt.Sprintln(r.IPv6, r.Priority, r.Invert, from, to, r.TOS, "mark", r.Mark, r.MarkMask, r.IIF, "oif", r.OIF, uids, "proto", r.IPProto, pair(r.SPort), pair(r.DPort), cmp.Or(r.Action, "lookup"), r.Table, r.Goto, suppress))
	}
	for _, family := range []string{"-4", "-6"} {
		for _, r := range f.ip(family, "rule") {
			of := func(addr, length string) string {
				a := str(r[addr])
				if a == "" || a == "all" {
					return "all"
				}
				if l := str(r[length]); l != "" {
					return a + "/" + l
				}
				return prefix(a, family == "-6")
			}
			ports := func(key string) string {
				if r[key] != nil {
					return fmt.Sprintf("[%s 0]", str(r[key]))
				}
				return fmt.Sprintf("[%s %s]", or(r[key+"_start"], "0"), or(r[key+"_end"], "0"))
			}
			uids := ""
			if r["uid_start"] != nil {
				uids = str(r["uid_start"]) + " " + str(r["uid_end"])
			}
			action := named(r["action"], "lookup", "", "lookup", "goto", "nop", "", "", "blackhole", "unreachable", "prohibit")
			if r["goto"] != nil {
				action = "goto"
			}
			mask := number(r["fwmask"])
			theirs = append(theirs, fmt.Sprintln(family == "-6", str(r["priority"]), has(r, "not"), of("src", "srclen"), of("dst", "dstlen"), number(r["tos"]), "mark", number(r["fwmark"]), mask, str(r["iif"]), "oif", str(r["oif"]),
				uids, "proto", strings.TrimPrefix(or(r["ipproto"], "0"), "ipproto-"), ports("sport"), ports("dport"), action, or(r["table"], "0"), or(r["goto"], "0"), str(r["suppress_prefixlen"])))
		}
	}
	f.same("rules", ours, theirs)
}

func (f *fields) neighbors() {
	var ours, theirs []string
	for _, n := range f.n.Neighbors {
		mac, is := "", strings.ToUpper(n.State)
		if n.MAC != (state.MAC{}) {
			mac = n.MAC.String()
		}
		if n.Proxy {
			is = ""
		}
		ours = append(ours, fmt.Sprintln(n.Link, n.IP, mac, is, n.Proxy, n.Router))
	}
	for _, what := range [][]string{{"neigh", "show", "nud", "all"}, {"neigh", "show", "proxy"}, {"-6", "neigh", "show", "proxy"}} {
		for _, n := range f.ip(what...) {
			line := fmt.Sprintln(n["dev"], n["dst"], strings.ReplaceAll(str(n["lladdr"]), "00:00:00:00:00:00", ""), strings.Join(words(n["state"]), " "), has(n, "proxy"), has(n, "router"))
			if !slices.Contains(theirs, line) {
				theirs = append(theirs, line)
			}
		}
	}
	f.same("neighbours", ours, theirs)
}
