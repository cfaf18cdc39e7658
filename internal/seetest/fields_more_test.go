package seetest_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren"
)

// switching compares forwarding entries and multicast groups.
func (f *fields) switching() {
	var ours, theirs []string
	for _, e := range f.n.FDB {
		dst := ""
		if e.Dst.IsValid() {
			dst = e.Dst.String()
		}
		mac := e.MAC.String()
		if mac == "" {
			mac = "00:00:00:00:00:00"
		}
		ours = append(ours, fmt.Sprintln(mac, e.Link, "master", e.Master, e.VLAN, "dst", dst, e.Port, e.VNI, e.State, e.Flags&2 != 0, e.Flags&16 != 0))
	}
	var list []map[string]any
	f.inside(&list, "bridge", "-j", "fdb", "show")
	for _, e := range list {
		flags := words(e["flags"])
		theirs = append(theirs, fmt.Sprintln(e["mac"], e["ifname"], "master", str(e["master"]), or(e["vlan"], "0"), "dst", str(e["dst"]), or(e["port"], "0"), or(e["vni"], "0"), or(e["state"], "reachable"),
			slices.Contains(flags, "self"), slices.Contains(flags, "extern_learn")))
	}
	f.same("forwarding entries", ours, theirs)
	ours, theirs = nil, nil
	for _, m := range f.n.MDB {
		if !m.Router {
			ours = append(ours, fmt.Sprintln(m.Bridge, m.Port, m.Group, m.State))
		}
	}
	var groups []struct {
		MDB []map[string]any `json:"mdb"`
	}
	f.inside(&groups, "bridge", "-j", "mdb", "show")
	for _, g := range groups {
		for _, m := range g.MDB {
			theirs = append(theirs, fmt.Sprintln(m["dev"], m["port"], m["grp"], m["state"]))
		}
	}
	f.same("multicast groups", ours, theirs)
}

func (f *fields) nextHops() {
	var ours, theirs []string
	for _, h := range f.n.NextHops {
		via, group := "", []string{}
		if h.Via.IsValid() {
			via = h.Via.String()
		}
		for _, g := range h.Group {
			group = append(group, fmt.Sprint(g.ID, "*", g.Weight))
		}
		link := h.Link
		if h.Blackhole {
			link = ""
		}
		ours = append(ours, fmt.Sprintln(h.ID, via, link, h.Blackhole, group))
	}
	for _, h := range f.ip("nexthop") {
		group := []string{}
		list, _ := h["group"].([]any)
		for _, g := range list {
			group = append(group, fmt.Sprint(str(dict(g)["id"]), "*", or(dict(g)["weight"], "1")))
		}
		dev := str(h["dev"])
		if has(h, "blackhole") {
			dev = ""
		}
		theirs = append(theirs, fmt.Sprintln(str(h["id"]), str(h["gateway"]), dev, has(h, "blackhole"), group))
	}
	f.same("next hop objects", ours, theirs)
}

// firewall compares what there is with its handles, and the whole text.
func (f *fields) firewall() {
	var ours, theirs []string
	var text strings.Builder
	for _, t := range f.n.Tables {
		ours = append(ours, fmt.Sprintln("table", t.Family, t.Name, t.Handle))
		for _, s := range t.Sets {
			ours = append(ours, fmt.Sprintln("set", t.Family, t.Name, s.Name, s.Handle, len(s.Elements)))
		}
		for _, c := range t.Chains {
			hook := ""
			if h := c.Hook; h != nil {
				hook = fmt.Sprint(h.Type, h.Hook, h.Priority, h.Policy)
			}
			ours = append(ours, fmt.Sprintln("chain", t.Family, t.Name, c.Name, c.Handle, hook))
			for _, r := range c.Rules {
				ours = append(ours, fmt.Sprintln("rule", t.Family, t.Name, c.Name, r.Handle, r.Comment))
			}
		}
		text.WriteString(warren.FirewallText(t))
	}
	var all struct {
		NFTables []map[string]map[string]any `json:"nftables"`
	}
	f.inside(&all, "nft", "-j", "list", "ruleset")
	for _, o := range all.NFTables {
		for kind, v := range o {
			switch kind {
			case "table":
				theirs = append(theirs, fmt.Sprintln(kind, v["family"], v["name"], str(v["handle"])))
			case "set", "map":
				list, _ := v["elem"].([]any)
				theirs = append(theirs, fmt.Sprintln("set", v["family"], v["table"], v["name"], str(v["handle"]), len(list)))
			case "chain":
				hook := ""
				if v["hook"] != nil {
					hook = fmt.Sprint(v["type"], v["hook"], str(v["prio"]), " ", v["policy"])
				}
				theirs = append(theirs, fmt.Sprintln(kind, v["family"], v["table"], v["name"], str(v["handle"]), hook))
			case "rule":
				theirs = append(theirs, fmt.Sprintln(kind, v["family"], v["table"], v["chain"], str(v["handle"]), str(v["comment"])))
			}
		}
	}
	squeeze := func(list []string) []string {
		for i := range list {
			list[i] = strings.ReplaceAll(list[i], " ", "")
		}
		return list
	}
	f.same("objects of nftables", squeeze(ours), squeeze(theirs))
	lines := func(s string) (list []string) {
		for l := range strings.Lines(s) {
			if l = strings.Join(strings.Fields(l), " "); l != "" && !strings.Contains(l, "counter packets") {
				list = append(list, l)
			}
		}
		return list
	}
	w := &world{f.t}
	f.same("text of nftables", lines(text.String()), lines(w.sh("ip netns exec %s nft list ruleset", f.of)))
}

// endpoint is an address with its port, as one word.
func endpoint(p netip.AddrPort) string {
	if !p.IsValid() || p.Addr().IsUnspecified() && p.Port() == 0 {
		return "none"
	}
	return p.String()
}

func (f *fields) sockets() {
	var ours, theirs []string
	for _, s := range f.n.Sockets {
		switch s.Protocol {
		case "tcp", "udp":
			ours = append(ours, fmt.Sprintln(s.Protocol, s.State, endpoint(s.Local), endpoint(s.Remote), s.UID, s.Inode))
		case "unix":
			ours = append(ours, fmt.Sprintln("unix", s.Type, s.State, s.Path, s.Inode))
		}
	}
	w := &world{f.t}
	for line := range strings.Lines(w.sh("ip netns exec %s ss -HOanetu", f.of)) {
		t := strings.Fields(line)
		uid, inode := "0", ""
		for _, word := range t[6:] {
			if v, ok := strings.CutPrefix(word, "ino:"); ok {
				inode = v
			}
			if v, ok := strings.CutPrefix(word, "uid:"); ok {
				uid = v
			}
		}
		theirs = append(theirs, fmt.Sprintln(t[0], t[1], ssEndpoint(t[4]), ssEndpoint(t[5]), uid, inode))
	}
	for line := range strings.Lines(w.sh("ip netns exec %s ss -HOanx", f.of)) {
		t := strings.Fields(line)
		kind := map[string]string{"u_str": "stream", "u_dgr": "dgram", "u_seq": "seqpacket"}[t[0]]
		theirs = append(theirs, fmt.Sprintln("unix", kind, t[1], t[4], t[5]))
	}
	f.same("sockets", ours, theirs)
	for _, s := range f.n.Sockets {
		if s.Process == nil {
			f.errs = append(f.errs, fmt.Errorf("nobody has %+v", s))
		}
	}
}

// ssEndpoint reads what ss prints: "*" is any address or port.
func ssEndpoint(s string) string {
	i := strings.LastIndexByte(s, ':')
	addr, port := s[:i], s[i+1:]
	if port == "*" {
		port = "0"
	}
	if addr == "*" {
		addr = "[::]"
	}
	addr, _, _ = strings.Cut(addr, "%")
	p, err := netip.ParseAddrPort(addr + ":" + port)
	if err != nil {
		return err.Error()
	}
	return endpoint(p)
}
