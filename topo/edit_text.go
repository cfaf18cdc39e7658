package topo

import (
	"bytes"
	"slices"
)

// rewrite writes a lab down: the text of the lab that it was, changed in as few places as possible. What was written is read
// again and has to say what it should; where it does not, whole entries of the file are written anew, and when that
// does not do either, all of it. The result is what was read.
func rewrite(was, now *Lab) (*Lab, error) {
	want := now.comparable()
	read := func(text []byte) *Lab {
		if l, err := readAs(now.Name, now.File, text); err == nil && bytes.Equal(l.comparable(), want) {
			return l
		}
		return nil
	}
	for _, whole := range []bool{false, true} {
		p := &page{text: []rune(string(was.text)), whole: whole}
		if len(was.text) == 0 || !p.change(was, now) {
			continue
		}
		text := []byte(string(p.text))
		if formatted, err := Format(text); err == nil {
			text = formatted
		}
		if l := read(text); l != nil {
			return l, nil
		}
	}
	if l := read([]byte((&brief{}).lab(now))); l != nil {
		return l, nil
	}
	full, err := FormatExpanded(now)
	if err != nil {
		return nil, err
	}
	return readAs(now.Name, now.File, full)
}

// change makes the text of one lab that of another, and reports whether it could.
func (p *page) change(was, now *Lab) bool {
	ok := sameJSON(was.Defaults, now.Defaults)
	for i := range was.Nets {
		if n := &was.Nets[i]; !slices.ContainsFunc(now.Nets, func(x Net) bool { return x.Name == n.Name }) {
			ok = ok && p.removeNet(n)
		}
	}
	for i := range now.Nets {
		n := &now.Nets[i]
		j := slices.IndexFunc(was.Nets, func(x Net) bool { return x.Name == n.Name })
		if j < 0 {
			b := &brief{}
			b.net(0, n)
			ok = ok && p.addEntry("nets", b.w.b.String())
			continue
		}
		ok = ok && p.changeNet(&was.Nets[j], n)
	}
	for i := range was.Nodes {
		if n := &was.Nodes[i]; !slices.ContainsFunc(now.Nodes, func(x Node) bool { return x.Name == n.Name }) {
			ok = ok && p.removeEntry("nodes", n.Name)
		}
	}
	for i := range now.Nodes {
		n := &now.Nodes[i]
		j := slices.IndexFunc(was.Nodes, func(x Node) bool { return x.Name == n.Name })
		switch {
		case j < 0:
			b := &brief{}
			b.node(1, n)
			ok = ok && p.addEntry("nodes", outdent(b.w.b.String()))
		case !sameJSON(&was.Nodes[j], n):
			ok = ok && p.changeNode(&was.Nodes[j], n)
		}
	}
	for i, check := range slices.Backward(was.Checks) {
		c := check.String()
		if !slices.ContainsFunc(now.Checks, func(x Check) bool { return x.String() == c }) {
			ok = ok && p.removeItem([]string{"checks"}, i)
		}
	}
	return ok
}

// removeNet removes an entry of nets or links.
func (p *page) removeNet(n *Net) bool {
	if p.removeEntry("nets", n.Name) {
		return true
	}
	return len(n.Members) == 2 && p.removeLink(n)
}

// changeNet: usually only members come and go.
func (p *page) changeNet(was, now *Net) bool {
	a, b := *was, *now
	a.Members, b.Members = nil, nil
	if !sameJSON(a, b) || p.whole && !sameJSON(was.Members, now.Members) {
		e := &brief{}
		e.net(0, now)
		if !p.removeNet(was) {
			return false
		}
		return p.addEntry("nets", e.w.b.String())
	}
	ok := true
	for _, m := range was.Members {
		if now.member(m.Node) == nil {
			ok = ok && p.removeMember(now.Name, m.Node)
		}
	}
	for _, m := range now.Members {
		if was.member(m.Node) == nil {
			ok = ok && p.addItem([]string{"nets", now.Name}, memberText(m))
		}
	}
	return ok
}

// changeNode: usually only published ports come and go.
func (p *page) changeNode(was, now *Node) bool {
	a, b := *was, *now
	a.Publish, b.Publish = nil, nil
	if !sameJSON(&a, &b) || p.whole {
		e := &brief{}
		e.node(1, now)
		return p.removeEntry("nodes", was.Name) && p.addEntry("nodes", outdent(e.w.b.String()))
	}
	ok := true
	for i, x := range slices.Backward(was.Publish) {
		if !slices.Contains(now.Publish, x) {
			ok = ok && p.removeItem([]string{"nodes", now.Name, "publish"}, i)
		}
	}
	for _, x := range now.Publish {
		if !slices.Contains(was.Publish, x) {
			ok = ok && p.addItem([]string{"nodes", now.Name, "publish"}, quote(x.String()))
		}
	}
	return ok
}
