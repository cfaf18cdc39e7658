package topo

import (
	"path"
	"strings"
)

// Parse reads a lab file. file is its path, for error texts and for the default name of the lab (the folder's); it is not
// opened. The result is complete ([Lab.Complete]) and valid ([Lab.Validate]). The error joins every problem found as
// *[Error], see [Problems].
func Parse(file string, data []byte) (*Lab, error) { return ParseAt(file, file, data) }

// ParseAt is Parse of a file that error texts call otherwise than where it is: a lab without a name is called after the
// folder in the path at.
func ParseAt(file, at string, data []byte) (*Lab, error) {
	r := &reader{problems: problems{file: file}, where: map[string]Pos{}, taken: map[string]bool{}}
	root := readTree(&r.problems, data)
	if err := r.err(); err != nil {
		return nil, err
	}
	l := &Lab{File: file, where: r.where, text: data}
	if root != nil {
		labFields().read(r, l, root, "")
	}
	if l.Name == "" {
		l.Name = nameFromFile(at)
	}
	r.fix(l)
	if r.broken {
		return nil, r.err()
	}
	l.Complete()
	l.validate(&r.problems)
	if err := r.err(); err != nil {
		return nil, err
	}
	return l, nil
}

// nameFromFile is the folder's name with every character that a lab's name cannot have replaced; "lab" when there is none.
func nameFromFile(file string) string {
	base := path.Base(path.Dir(file))
	var b strings.Builder
	for _, c := range base {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
		switch {
		case ok:
			b.WriteRune(c)
		case b.Len() > 0:
			b.WriteByte('-')
		}
	}
	name := strings.TrimLeft(b.String(), "-_")
	if len(name) > 40 {
		name = name[:40]
	}
	if name = strings.TrimRight(name, "-"); name == "" {
		return "lab"
	}
	return name
}

// fix puts the addresses that stand at nodes to the members that they belong to.
func (r *reader) fix(l *Lab) {
	type key struct{ net, node string }
	members := map[key]*Member{}
	nets := map[string]bool{}
	for i := range l.Nets {
		n := &l.Nets[i]
		nets[n.Name] = true
		for j := range n.Members {
			members[key{n.Name, n.Members[j].Node}] = &n.Members[j]
		}
	}
	for _, f := range r.fixed {
		m := members[key{f.net, f.node}]
		switch {
		case m == nil && !nets[f.net]:
			r.fail(f.at, "", "node %s has an address on net %s, which does not exist", f.node, f.net)
		case m == nil:
			r.fail(f.at, "put it into the net's nodes", "node %s has an address on net %s and is not a member of it", f.node, f.net)
		case len(m.IP) > 0:
			r.fail(f.at, "", "node %s has addresses on net %s in two places", f.node, f.net)
		default:
			m.IP = f.ip
			r.where["/nets/"+f.net+"/"+f.node] = f.at
		}
	}
}

// at is the place of the innermost thing on the path that has one.
func (l *Lab) at(p string) Pos {
	for p != "" {
		if pos, ok := l.where[p]; ok {
			return pos
		}
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return Pos{}
}
