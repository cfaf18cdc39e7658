package iproute

import (
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// A ssFilter is a condition on sockets, or two that are joined.
type ssFilter struct {
	op   ssOp
	a, b *ssFilter   // of and, or, not
	at   []ssAddress // of isAt: one of them
	peer bool        // of isAt, least and most
	port int64
	mark struct{ value, mask uint32 }
	id   uint64 // of a cgroup, or index of a link
}

type ssOp int

const (
	opAnd ssOp = iota
	opOr
	opNot
	opIsAt
	opLeast
	opMost
	opLink
	opMark
	opCgroup
	opAutoBound
)

// A ssAddress is what HOST says, in a condition such as "dst HOST".
type ssAddress struct {
	family  int // 0 = either
	port    int64
	addr    []byte
	bits    int
	pattern string // of a unix socket's name
}

// matches reports whether the condition holds. It is what ss itself asks beside the kernel (see program).
func (f *ssFilter) matches(s *ss, k *ssSocket) bool {
	switch f.op {
	case opAnd:
		return f.a.matches(s, k) && f.b.matches(s, k)
	case opOr:
		return f.a.matches(s, k) || f.b.matches(s, k)
	case opNot:
		return !f.a.matches(s, k)
	case opIsAt:
		return f.isAt(k)
	case opLeast:
		return k.end(f.peer).port >= f.port
	case opMost:
		return k.end(f.peer).port <= f.port
	case opLink:
		return uint64(k.link) == f.id
	case opMark:
		return k.mark&f.mark.mask == f.mark.value
	case opCgroup:
		return k.cgroup == f.id
	case opAutoBound:
		return k.autoBound(s)
	}
	panic("no such condition on sockets")
}

func (f *ssFilter) isAt(k *ssSocket) bool {
	end := k.end(f.peer)
	first := f.at[0]
	if first.family == unix.AF_UNIX {
		return first.pattern == "" || fnmatch(first.pattern, end.name)
	}
	if first.port != sockdiag.AnyPort && first.port != end.port {
		return false
	}
	if first.bits == 0 {
		return true
	}
	for _, a := range f.at {
		if end.begins(k.family, a) {
			return true
		}
	}
	return false
}

// begins reports whether the address begins as the pattern. An IPv4 pattern takes addresses mapped from IPv4.
func (e *ssEnd) begins(family uint8, a ssAddress) bool {
	if e.name != "" {
		return false // a unix socket's name is no number
	}
	var addr [16]byte
	copy(addr[:], e.addr)
	if sockdiag.BeginsWith(addr[:], a.addr, a.bits) {
		return true
	}
	mapped := family == unix.AF_INET6 && a.family == unix.AF_INET && sockdiag.BeginsWith(addr[:], []byte{10: 0xff, 11: 0xff}, 96)
	return mapped && sockdiag.BeginsWith(addr[12:], a.addr, a.bits)
}

// program is the condition as the kernel is asked to try it on internet sockets; nil when it cannot: a condition on links.
func (f *ssFilter) program() sockdiag.Program {
	switch f.op {
	case opAnd:
		return f.a.program().And(f.b.program())
	case opOr:
		return f.a.program().Or(f.b.program())
	case opNot:
		return f.a.program().Not()
	case opIsAt:
		var p sockdiag.Program
		for _, a := range f.at {
			q := sockdiag.IsAt(f.peer, uint8(a.family), int(a.port), a.addr, a.bits)
			if p == nil {
				p = q
			} else {
				p = p.Or(q)
			}
		}
		return p
	case opLeast:
		return sockdiag.PortAtLeast(f.peer, uint16(f.port))
	case opMost:
		return sockdiag.PortAtMost(f.peer, uint16(f.port))
	case opLink:
		return nil
	case opMark:
		return sockdiag.HasMark(f.mark.value, f.mark.mask)
	case opCgroup:
		return sockdiag.InCgroup(f.id)
	case opAutoBound:
		return sockdiag.AutoBound()
	}
	panic("no such condition on sockets")
}

// autoBound reports whether the kernel chose the socket's address, as far as that can be seen.
func (k *ssSocket) autoBound(s *ss) bool {
	switch k.family {
	case unix.AF_UNIX:
		name := k.local.name
		return name == "" || len(name) == 6 && name[0] == '@' && strings.Trim(name[1:], "0123456789abcdef") == ""
	case unix.AF_PACKET:
		return k.local.port == 0 && (len(k.local.addr) == 0 || native.Uint32(k.local.addr) == 0)
	case unix.AF_NETLINK:
		return k.local.port < 0
	case unix.AF_VSOCK:
		return k.local.port > 1023
	}
	return s.ephemeral(k.local.port)
}

// ssWords cuts arguments into words: at spaces; a backslash takes the next letter's meaning away.
func ssWords(args []string) []string {
	var list []string
	for _, arg := range args {
		var word strings.Builder
		begun := false
		for i := 0; i < len(arg); i++ {
			switch c := arg[i]; {
			case c == '\\' && i+1 < len(arg):
				i++
				word.WriteByte(arg[i])
				begun = true
			case c == ' ' || c == '\t':
				if begun {
					list = append(list, word.String())
					word.Reset()
					begun = false
				}
			default:
				word.WriteByte(c)
				begun = true
			}
		}
		if begun {
			list = append(list, word.String())
		}
	}
	return list
}

// A ssParser reads conditions, one word ahead.
type ssParser struct {
	s     *ss
	words []string
	at    int
	about string // the last keyword
}

// operator is the meaning of a word that stands for something; "" for one that does not.
func operator(word string) string {
	switch word {
	case "!", "not":
		return "!"
	case "&", "&&", "and":
		return "&"
	case "|", "||", "or":
		return "|"
	case "(", ")", "dst", "src", "dport", "sport", "dev", "fwmark", "cgroup", "autobound":
		return word
	case ">=", "ge", "geq":
		return ">="
	case "<=", "le", "leq":
		return "<="
	case "!=", "ne", "neq":
		return "!="
	case "=", "==", "eq":
		return "="
	case ">", "gt":
		return ">"
	case "<", "lt":
		return "<"
	}
	return ""
}

func (p *ssParser) peek() string {
	if p.at >= len(p.words) {
		return ""
	}
	return operator(p.words[p.at])
}

// wrong refuses the present word; it is read first, as ss does, for which it may be wrong in itself.
func (p *ssParser) wrong() {
	if p.at < len(p.words) && p.peek() == "" {
		about := p.about
		if about == "" || about == "autobound" {
			about = "dst"
		}
		p.value(about, p.words[p.at])
	}
	die("ss: bison bellows (while parsing filter): \"syntax error!\" Sorry.\n%s", ssUsage)
}

// filter reads all words; nil when there is none.
func (p *ssParser) filter() *ssFilter {
	if len(p.words) == 0 {
		return nil
	}
	f := p.list()
	if p.at < len(p.words) {
		p.wrong()
	}
	return f
}

// list reads conditions joined by "or", "and" or by nothing, which is "and"; all bind equally, from left to right.
func (p *ssParser) list() *ssFilter {
	f := p.one()
	for p.at < len(p.words) {
		switch p.peek() {
		case ")":
			return f
		case "|":
			p.at++
			f = &ssFilter{op: opOr, a: f, b: p.one()}
		case "&":
			p.at++
			f = &ssFilter{op: opAnd, a: f, b: p.one()}
		default:
			f = &ssFilter{op: opAnd, a: f, b: p.one()}
		}
	}
	return f
}

func (p *ssParser) one() *ssFilter {
	what := p.peek()
	switch what {
	case "dst", "src", "dport", "sport", "dev", "fwmark", "cgroup", "autobound":
		p.about = what
	case "(", "!":
	default:
		p.wrong()
	}
	p.at++
	switch what {
	case "(":
		f := p.list()
		if p.peek() != ")" {
			p.wrong()
		}
		p.at++
		return f
	case "!":
		return &ssFilter{op: opNot, a: p.one()}
	case "autobound":
		return &ssFilter{op: opAutoBound}
	}
	return p.condition(what)
}

// condition reads what follows a keyword: a comparison, or nothing for "=", and a value.
func (p *ssParser) condition(what string) *ssFilter {
	cmp := "="
	switch o := p.peek(); o {
	case "=", "!=", ">=", "<=", ">", "<":
		isPort := what == "dport" || what == "sport"
		if o != "=" && !isPort && (o != "!=" || what == "dst" || what == "src") {
			p.wrong()
		}
		cmp = o
		p.at++
	}
	if p.at >= len(p.words) || p.peek() != "" {
		p.wrong()
	}
	word := p.words[p.at]
	p.at++
	f := p.value(what, word)
	order := &ssFilter{peer: f.peer}
	if len(f.at) > 0 {
		order.port = f.at[0].port
	}
	switch cmp {
	case "=":
		return f
	case "!=":
		return &ssFilter{op: opNot, a: f}
	case ">=", "<":
		order.op = opLeast
	case "<=", ">":
		order.op = opMost
	}
	if cmp == "<" || cmp == ">" {
		return &ssFilter{op: opNot, a: order}
	}
	return order
}

func (p *ssParser) value(what, word string) *ssFilter {
	switch what {
	case "dev":
		index := uint64(p.s.indexOf(word))
		if index == 0 {
			n, ok := parseUint(word, 0, 32)
			if !ok {
				fail(exitFailed, "Cannot parse device.")
			}
			index = n
		}
		return &ssFilter{op: opLink, id: index}
	case "fwmark":
		f := &ssFilter{op: opMark}
		value, mask, cut := strings.Cut(word, "/")
		v, ok := parseUint(value, 0, 32)
		m := uint64(0xffffffff)
		if cut && ok {
			m, ok = parseUint(mask, 0, 32)
		}
		if !ok {
			fail(exitFailed, "Cannot parse mark %s.", word)
		}
		f.mark.value, f.mark.mask = uint32(v), uint32(m)
		return f
	case "cgroup":
		id, err := cgroupID(word)
		if err != nil {
			fail(exitFailed, "Cannot parse cgroup %s.", word)
		}
		return &ssFilter{op: opCgroup, id: id}
	}
	return &ssFilter{op: opIsAt, peer: what[0] == 'd', at: p.s.hostCondition(word, strings.HasSuffix(what, "port"))}
}
