package topo

import (
	"fmt"
	"strings"
)

func errText(format string, args ...any) error { return fmt.Errorf(format, args...) }

func readNets(r *reader, l *Lab, v *tree, path string) {
	if v.kind == treeNull {
		return
	}
	if v.kind != treeMap {
		r.fail(v.pos, "", "nets is a map of names, not %s", v.what())
		return
	}
	for i, k := range v.keys {
		n := Net{Name: k.text}
		if err := checkNetName(k.text); err != nil {
			r.fail(k.pos, "", "%w", err)
			continue
		}
		r.mark("/nets/"+n.Name, k.pos)
		switch x := v.vals[i]; x.kind {
		case treeMap:
			netFields().read(r, &n, x, "/nets/"+n.Name)
		case treeList, treeScalar, treeNull:
			r.members4(&n, x)
		}
		r.taken[n.Name] = true
		l.Nets = append(l.Nets, n)
	}
}

// entries reads a list of TEXT and of TEXT: {...}.
func (r *reader) entries(v *tree, form string, read func(at Pos, text string, with *tree)) {
	for _, x := range r.items(v) {
		switch x.kind {
		case treeScalar:
			read(x.pos, x.text, nil)
		case treeMap:
			for i, k := range x.keys {
				read(k.pos, k.text, x.vals[i])
			}
		case treeNull, treeList:
			r.fail(x.pos, "", "%s, not %s", form, x.what())
		}
	}
}

func readLinks(r *reader, l *Lab, v *tree, path string) {
	r.entries(v, "a link is A -- B", func(at Pos, text string, with *tree) { r.link(l, at, text, with) })
}

// link reads "a -- b". A range on one side pairs with every name on the other; two ranges of the same length pair one by
// one.
func (r *reader) link(l *Lab, at Pos, text string, with *tree) {
	left, right, ok := strings.Cut(text, "--")
	if !ok {
		r.fail(at, "two dashes stand between the nodes: a -- b", "%q is not a link", text)
		return
	}
	as := r.names(at, strings.TrimSpace(left), checkNodeName)
	bs := r.names(at, strings.TrimSpace(right), checkNodeName)
	if as == nil || bs == nil {
		return
	}
	switch {
	case len(as) == len(bs):
	case len(as) == 1:
		for len(as) < len(bs) {
			as = append(as, as[0])
		}
	case len(bs) == 1:
		for len(bs) < len(as) {
			bs = append(bs, bs[0])
		}
	default:
		r.fail(at, "", "%q links %d nodes to %d", text, len(as), len(bs))
		return
	}
	name, _ := r.linkName(with)
	if name != "" && len(as) > 1 {
		r.fail(at, "", "%q is %d links: they cannot have one name", text, len(as))
		return
	}
	for i := range as {
		n := Net{Name: name, Members: []Member{{Node: as[i]}, {Node: bs[i]}}}
		if as[i] == bs[i] {
			r.fail(at, "", "%q links %s to itself", text, as[i])
			continue
		}
		if n.Name == "" {
			n.Name = r.freeName(as[i] + "-" + bs[i])
		}
		if err := checkNetName(n.Name); err != nil {
			r.fail(at, "give it a name: A -- B: {name: NAME}", "%w", err)
			continue
		}
		r.mark("/nets/"+n.Name, at)
		if r.members += 2; r.members > maxMembers {
			r.fail(at, "", "more than %d members in all nets", maxMembers)
			return
		}
		if with != nil {
			linkFields().read(r, &n, with, "/nets/"+n.Name)
		}
		r.taken[n.Name] = true
		l.Nets = append(l.Nets, n)
	}
}

// linkName looks ahead: the name decides where everything else of the link stands.
func (r *reader) linkName(with *tree) (string, bool) {
	if with == nil || with.kind != treeMap {
		return "", false
	}
	for i, k := range with.keys {
		if k.text == "name" {
			return r.text(with.vals[i], "name")
		}
	}
	return "", false
}

// freeName is the name, with a number when there are several links between the same two nodes.
func (r *reader) freeName(name string) string {
	free := name
	for i := 2; r.taken[free]; i++ {
		free = fmt.Sprintf("%s-%d", name, i)
	}
	return free
}

// members4 reads the members of a net: a list of names, of NAME: ADDRESS and of NAME: {...}, or a map of the latter two.
func (r *reader) members4(n *Net, v *tree) {
	r.entries(v, "a member is a node", func(at Pos, text string, with *tree) { r.member(n, at, text, with) })
}

func (r *reader) member(n *Net, at Pos, text string, with *tree) {
	names := r.names(at, text, checkNodeName)
	if r.members += len(names); r.members > maxMembers {
		r.fail(at, "", "more than %d members in all nets", maxMembers)
		return
	}
	m := Member{}
	if with != nil && with.kind != treeNull {
		if with.kind == treeMap {
			memberFields().read(r, &m, with, "/nets/"+n.Name+"/"+text)
		} else {
			m.IP = r.addresses(with)
		}
	}
	if len(names) > 1 && (len(m.IP) > 0 || !m.MAC.IsZero()) {
		r.fail(at, "", "%q is %d nodes: they cannot have one address", text, len(names))
		return
	}
	for _, name := range names {
		m.Node = name
		r.where["/nets/"+n.Name+"/"+name] = at
		n.Members = append(n.Members, m)
	}
}
