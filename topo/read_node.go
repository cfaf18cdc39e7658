package topo

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"warren/state"
)

func containsSlash(s string) bool     { return strings.Contains(s, "/") }
func dotsToSlashes(s string) string   { return strings.ReplaceAll(s, ".", "/") }
func splitSlash(s string) []string    { return strings.Split(s, "/") }
func itemPath(p string, i int) string { return p + "/" + strconv.Itoa(i) }

func readNodes(r *reader, l *Lab, v *tree, _ string) {
	if v.kind == treeNull {
		return
	}
	if v.kind != treeMap {
		if v.kind != treeList {
			r.fail(v.pos, "", "nodes is a map of names, not %s", v.what())
			return
		}
		for _, x := range v.vals { // a plain list of names
			if s, ok := r.text(x, "node"); ok {
				for _, name := range r.names(x.pos, s, checkNodeName) {
					r.mark("/nodes/"+name, x.pos)
					l.Nodes = append(l.Nodes, Node{Name: name})
				}
			}
		}
		return
	}
	first := map[string]Pos{}
	total := 0
	for i, k := range v.keys {
		names := r.names(k.pos, k.text, checkNodeName)
		if total += len(names); total > maxMembers {
			r.fail(k.pos, "", "more than %d nodes", maxMembers)
			return
		}
		for j, name := range names {
			if at, twice := first[name]; twice {
				r.fail(k.pos, "", "node %s is described twice, first in line %d", name, at.Line)
				break
			}
			first[name] = k.pos
			r.mark("/nodes/"+name, k.pos)
			f := nodeFile{Node: Node{Name: name}}
			before := len(r.list)
			nodeFields().read(r, &f, v.vals[i], "/nodes/"+name)
			r.finishNode(&f)
			l.Nodes = append(l.Nodes, f.Node)
			if len(r.list) > before && j < len(names)-1 { // the same again for every name of the range
				break
			}
		}
	}
}

func (r *reader) finishNode(f *nodeFile) {
	switch {
	case f.hasRun:
		for _, s := range f.Services {
			if s.Name == "run" {
				r.fail(f.runAt, "", "node %s has both run and a service called run", f.Name)
				return
			}
		}
		f.Services = append([]Service{f.run}, f.Services...)
		r.where["/nodes/"+f.Name+"/services/run"] = f.runAt
	case f.noRun != (Pos{}):
		r.fail(f.noRun, "write run: COMMAND beside it, or put it into the service", "node %s has no run that this belongs to", f.Name)
	}
	for _, ip := range f.ips {
		ip.node = f.Name
		r.fixed = append(r.fixed, ip)
	}
}

func readNodeIP(r *reader, n *nodeFile, v *tree, path string) {
	if v.kind != treeMap {
		r.fail(v.pos, "", "ip is a map NET: address, not %s", v.what())
		return
	}
	for i, k := range v.keys {
		if err := checkNetName(k.text); err != nil {
			r.fail(k.pos, "", "%w", err)
			continue
		}
		if ips := r.addresses(v.vals[i]); len(ips) > 0 {
			n.ips = append(n.ips, fixedAddr{net: k.text, ip: ips, at: k.pos})
		}
	}
}

func readRoutes(r *reader, n *nodeFile, v *tree, path string) {
	if v.kind == treeScalar && (v.text == "auto" || v.text == "none") {
		n.Routes.NoAuto = v.text == "none"
		return
	}
	n.Routes.NoAuto = true
	for _, x := range r.items(v) {
		s, ok := r.text(x, "route")
		if !ok {
			continue
		}
		if s == "auto" {
			n.Routes.NoAuto = false
			continue
		}
		if rt, ok := parsed(r, x, "route", parseRoute); ok {
			r.where[itemPath(path, len(n.Routes.List))] = x.pos
			n.Routes.List = append(n.Routes.List, rt)
		}
	}
}

func readNAT(r *reader, n *nodeFile, v *tree, path string) {
	for _, x := range r.items(v) {
		one := NAT{}
		if x.kind == treeMap {
			natFields().read(r, &one, x, itemPath(path, len(n.NAT)))
			if one.To == "" {
				r.fail(x.pos, "", "nat needs to: NET")
				continue
			}
		} else {
			one.To, _ = r.text(x, "nat")
		}
		if err := checkNetName(one.To); err != nil {
			r.fail(x.pos, "", "nat: %w", err)
			continue
		}
		r.where[itemPath(path, len(n.NAT))] = x.pos
		n.NAT = append(n.NAT, one)
	}
}

func readAllow(r *reader, n *nodeFile, v *tree, path string) { r.allowDeny(&n.Node, false, v, path) }
func readDeny(r *reader, n *nodeFile, v *tree, path string)  { r.allowDeny(&n.Node, true, v, path) }

func (r *reader) allowDeny(n *Node, deny bool, v *tree, path string) {
	if v.kind == treeMap {
		policyFields(deny).read(r, n, v, path)
		return
	}
	policyFields(deny).find("forward").read(r, n, v, path)
}

// policy reads one list of flows.
func (r *reader) policy(p *Policy, deny bool, v *tree, path string, parse func(string) (Flow, error)) {
	if !deny {
		p.Strict = true
	}
	for _, x := range r.items(v) {
		s, ok := r.text(x, "rule")
		if !ok {
			continue
		}
		if deny && strings.TrimSpace(s) == "drop" {
			p.Drop = true
			continue
		}
		// A range of nodes is a rule for each.
		words, err := expandRule(s)
		if err != nil {
			r.fail(x.pos, "", "rule: %w", err)
			continue
		}
		for _, w := range words {
			f, err := parse(w)
			if err != nil {
				r.fail(x.pos, "", "rule: %w", err)
				break
			}
			if f.Drop && !deny {
				r.fail(x.pos, "a list of what passes says nothing about the rest: put drop into deny", "rule: %q lets pass and drops", s)
				break
			}
			list := &p.Allow
			if deny {
				list = &p.Deny
			}
			r.where[itemPath(path, len(*list))] = x.pos
			*list = append(*list, f)
		}
	}
}

// expandRule writes out the first range of node names, again and again.
func expandRule(s string) ([]string, error) {
	out := []string{s}
	for {
		m := rangeInName().FindStringIndex(out[0])
		if m == nil {
			return out, nil
		}
		var next []string
		for _, t := range out {
			m := rangeInName().FindStringIndex(t)
			if m == nil {
				return nil, fmt.Errorf("%q: cannot expand", s)
			}
			names, err := expandName(t[m[0]:m[1]])
			if err != nil {
				return nil, err
			}
			if len(out)*len(names) > maxRange {
				return nil, fmt.Errorf("%q stands for more than %d rules", s, maxRange)
			}
			for _, n := range names {
				next = append(next, t[:m[0]]+n+t[m[1]:])
			}
		}
		out = next
	}
}

func readSysctl(r *reader, n *nodeFile, v *tree, path string) {
	if v.kind != treeMap {
		r.fail(v.pos, "", "sysctl is a map KEY: value, not %s", v.what())
		return
	}
	for i, k := range v.keys {
		key, err := keySysctl(k.text)
		if err != nil {
			r.fail(k.pos, "", "%w", err)
			continue
		}
		value, ok := parsed(r, v.vals[i], "sysctl", cleanText)
		if !ok {
			continue
		}
		value = strings.Join(strings.Fields(value), "\t")
		if slices.ContainsFunc(n.Sysctl, func(s state.Sysctl) bool { return s.Key == key }) {
			r.fail(k.pos, "", "sysctl %s stands here twice", key)
			continue
		}
		r.where[path+"/"+key] = k.pos
		n.Sysctl = append(n.Sysctl, state.Sysctl{Key: key, Value: value})
	}
	slices.SortFunc(n.Sysctl, func(a, b state.Sysctl) int { return cmp.Compare(a.Key, b.Key) })
}

func readHosts(r *reader, n *nodeFile, v *tree, path string) {
	if v.kind != treeMap {
		r.fail(v.pos, "", "hosts is a map NAME: address, not %s", v.what())
		return
	}
	for i, k := range v.keys {
		if !isHostName(k.text) {
			r.fail(k.pos, "", "hosts: %q is not a name", k.text)
			continue
		}
		n.Hosts = append(n.Hosts, ExtraHost{Name: k.text, Addr: readList(r, v.vals[i], path+"/"+k.text, "hosts", parseAddr)})
	}
}

func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// cleanText refuses what cannot stand in a path, an argument or a sysctl.
func cleanText(s string) (string, error) {
	if s == "" {
		return "", errText("it is empty")
	}
	for _, c := range s {
		if unicode.IsControl(c) && c != '\t' || c == unicode.ReplacementChar {
			return "", errText("%q holds a control character", s)
		}
	}
	return s, nil
}

// checkNetns refuses only what can never be a reference; package netns resolves it.
func checkNetns(s string) (string, error) {
	if s == "host" || strings.HasPrefix(s, "@") || strings.Contains(s, ".@") {
		return "", errText("%q cannot be a node", s)
	}
	if strings.HasPrefix(s, "/") {
		if strings.Contains(s, "/../") || strings.HasSuffix(s, "/..") {
			return "", errText("%q: write the path without ..", s)
		}
		return cleanText(s)
	}
	return s, state.CheckName(s, 255)
}
