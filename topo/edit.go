package topo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Errors of an [Editor].
var (
	// ErrNotExist: what is to be changed is not in the lab.
	ErrNotExist = errors.New("does not exist")
	// ErrExist: what is to be added is there already.
	ErrExist = errors.New("is there already")
)

// editError is a sentence that is one of these errors.
type editError struct {
	text string
	is   error
}

func (e *editError) Error() string { return e.text }
func (e *editError) Unwrap() error { return e.is }

func exists(format string, args ...any) error {
	return &editError{fmt.Sprintf(format, args...), ErrExist}
}

func missing(format string, args ...any) error {
	return &editError{fmt.Sprintf(format, args...), ErrNotExist}
}

// An Editor changes a lab one thing at a time. [Editor.Lab] checks the result as a whole and writes it down: where the lab
// came from a file, the text of the file is changed in as few places as possible and keeps its comments. The lab that
// is edited is not changed.
type Editor struct {
	was, lab *Lab
	// links are the names of nets that are cables: they go when one of their ends does. listed are those that stand under the
	// file's links, and so behind its nets.
	links, listed map[string]bool
	// Dropped are checks that said something about a node that was removed.
	Dropped []string
}

// NewDefault is the empty lab that commands such as run and add edit, with its one net; cidr is that one's prefix, the zero
// Prefix lets it be chosen when the net is made.
func NewDefault(cidr netip.Prefix) *Lab {
	l := &Lab{Name: DefaultLab, Nets: []Net{{Name: DefaultNet, Uplink: &Uplink{}}}}
	if cidr.IsValid() {
		l.Nets[0].CIDR = []netip.Prefix{cidr}
	}
	l.text = append([]byte(defaultComment), (&brief{}).lab(l)...)
	return l
}

const defaultComment = `# The lab that warren add, run, connect and publish change. A copy of this file is a lab file as any other.
`

// Edit begins to change a lab, complete or not.
func Edit(l *Lab) (*Editor, error) {
	e := &Editor{links: map[string]bool{}}
	if len(l.text) > 0 {
		raw, listed, err := readRaw(l.File, l.text)
		if err != nil {
			return nil, err
		}
		raw.Name = l.Name
		e.was, e.listed = raw, listed
	} else {
		e.was = l.uncompleted()
	}
	for i := range e.was.Nets {
		n := &e.was.Nets[i]
		e.links[n.Name] = e.listed[n.Name] || isCable(n)
	}
	e.lab = e.was.deep()
	return e, nil
}

// Text is the lab file: what Parse read, with what an [Editor] changed since; nil when the lab was built in Go.
func (l *Lab) Text() []byte { return l.text }

// WithText is the lab with the text of its file, when that says the same.
func (l *Lab) WithText(text []byte) *Lab {
	if len(text) == 0 {
		return l
	}
	if other, err := readAs(l.Name, l.File, text); err != nil || !sameLab(l, other) {
		return l
	}
	c := *l
	c.text = text
	return &c
}

// sameLab compares two labs without what is known of their files.
func sameLab(a, b *Lab) bool {
	return bytes.Equal(a.comparable(), b.comparable())
}

func (l *Lab) comparable() []byte {
	c := l.clone()
	c.Complete()
	c.File, c.where, c.Edited = "", nil, false
	for i := range c.Checks {
		c.Checks[i].Pos = Pos{}
	}
	data, err := json.Marshal(c)
	if err != nil {
		panic("topo: a lab does not marshal: " + err.Error()) // plain data always does
	}
	return data
}

// deep copies everything that an Editor changes.
func (l *Lab) deep() *Lab {
	c := l.clone()
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.DNS, n.NAT = slices.Clone(n.DNS), slices.Clone(n.NAT)
	}
	return c
}

// uncompleted takes away what Complete would say again: a net that gets a third member is no pair any more.
func (l *Lab) uncompleted() *Lab {
	c := l.deep()
	for i := range c.Nets {
		n := &c.Nets[i]
		probe := &Lab{Name: l.Name, Defaults: l.Defaults, Nets: []Net{*n}}
		probe.Nets[0].Kind = ""
		probe = probe.clone()
		probe.Complete()
		if probe.Nets[0].Kind == n.Kind {
			n.Kind = ""
		}
		for j := range n.Members {
			m := &n.Members[j]
			if m.If == c.linkName(n.Name) {
				m.If = ""
			}
			if m.MTU == n.MTU {
				m.MTU = 0
			}
		}
		if n.MTU == c.Defaults.MTU {
			n.MTU = 0
		}
		if n.IPv6 != nil && *n.IPv6 == c.Defaults.IPv6 {
			n.IPv6 = nil
		}
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if n.Forward != nil && *n.Forward == (c.netsOf(n.Name) > 1 && n.Netns == "") {
			n.Forward = nil
		}
	}
	c.Nodes = slices.DeleteFunc(c.Nodes, func(n Node) bool { return n.plain() && c.netsOf(n.Name) > 0 })
	if c.Defaults.MTU == DefaultMTU {
		c.Defaults.MTU = 0
	}
	def := &Lab{Name: l.Name}
	def.Complete()
	if c.Defaults.Pool4 == def.Defaults.Pool4 {
		c.Defaults.Pool4 = netip.Prefix{}
	}
	if c.Defaults.Pool6 == def.Defaults.Pool6 {
		c.Defaults.Pool6 = netip.Prefix{}
	}
	return c
}

// netsOf counts the nets that a node is on.
func (l *Lab) netsOf(node string) int {
	count := 0
	for i := range l.Nets {
		if l.Nets[i].member(node) != nil {
			count++
		}
	}
	return count
}

func (n *Net) member(node string) *Member {
	for i := range n.Members {
		if n.Members[i].Node == node {
			return &n.Members[i]
		}
	}
	return nil
}

// isCable tells a cable by its name: A-B, with a number when there are several.
func isCable(n *Net) bool {
	if len(n.Members) != 2 || n.Uplink != nil {
		return false
	}
	a, b := n.Members[0].Node, n.Members[1].Node
	for _, name := range []string{a + "-" + b, b + "-" + a} {
		if rest, ok := strings.CutPrefix(n.Name, name); ok && (rest == "" || rest[0] == '-' && strings.Trim(rest[1:], "0123456789") == "") {
			return true
		}
	}
	return false
}

// readRaw reads a lab file without completing it, and tells which nets stand under links.
func readRaw(file string, data []byte) (*Lab, map[string]bool, error) {
	r := &reader{problems: problems{file: file}, where: map[string]Pos{}, taken: map[string]bool{}}
	root := readTree(&r.problems, data)
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	l := &Lab{File: file, text: data}
	listed := map[string]bool{}
	if root != nil {
		labFields().read(r, l, root, "")
		for i := range l.Nets {
			listed[l.Nets[i].Name] = true
		}
		for i, k := range root.keys {
			if k.text == "nets" {
				for _, name := range root.vals[i].keys {
					delete(listed, name.text)
				}
			}
		}
	}
	r.fix(l)
	return l, listed, r.err()
}

// readAs is Parse for a lab whose name is known, whatever its file says, and without places.
func readAs(name, file string, text []byte) (*Lab, error) {
	l, _, err := readRaw(file, text)
	if err != nil {
		return nil, err
	}
	l.Name = name
	l.Complete()
	return l, l.Validate()
}

// Changed reports whether the lab is another one than it was.
func (e *Editor) Changed() bool { return !sameLab(e.was, e.lab) }

// Lab is the result: complete, valid, and with its text. The error lists what is wrong, without places: the text is not what
// somebody wrote. When the lab came from a file, Edited says that it is another than the file's.
func (e *Editor) Lab() (*Lab, error) {
	if !e.Changed() {
		l := e.was.deep()
		l.Complete()
		return l, l.Validate()
	}
	plain := e.lab.deep()
	plain.File, plain.where = "", nil
	plain.Complete()
	if err := plain.Validate(); err != nil {
		return nil, err
	}
	l, err := rewrite(e.was, e.lab)
	if err != nil {
		return nil, fmt.Errorf("the lab file cannot be written: %w", err)
	}
	l.Edited = e.lab.File != ""
	return l, nil
}
