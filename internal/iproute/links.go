package iproute

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// A linkCache holds, for one command, what the kernel said about links.
type linkCache struct {
	names map[int]linkBrief
	whole bool // all links are in it
}

// A linkBrief is what other objects need to know of a link.
type linkBrief struct {
	name  string
	flags uint32
	hw    uint16 // its hardware type (ARPHRD_*)
}

func (s *session) cache() *linkCache {
	if s.links == nil {
		s.links = &linkCache{names: map[int]linkBrief{}}
	}
	return s.links
}

func (c *linkCache) add(data []byte) {
	if len(data) < rtnl.IfinfoLen {
		return
	}
	a := rtnl.ParseAttrs(data[rtnl.IfinfoLen:])
	c.names[int(int32(native.Uint32(data[4:])))] = linkBrief{
		name: a.Str(unix.IFLA_IFNAME), flags: native.Uint32(data[8:]), hw: native.Uint16(data[2:]),
	}
}

// brief is what is known of a link by its index.
func (s *session) brief(index int) (linkBrief, bool) {
	c := s.cache()
	l, ok := c.names[index]
	if ok || c.whole {
		return l, ok
	}
	if msgs, err := s.ask(rtnl.GetLinkIndex(index)); err == nil {
		for _, m := range msgs {
			c.add(m.Data)
		}
	}
	l, ok = c.names[index]
	return l, ok
}

// nameOf is a link's name, "ifN" when there is none of that index.
func (s *session) nameOf(index int) string {
	if index == 0 {
		return "*"
	}
	if l, ok := s.brief(index); ok {
		return l.name
	}
	return "if" + strconv.Itoa(index)
}

// indexOf finds a link by name, alternative name or "ifN"; 0 when there is none.
func (s *session) indexOf(name string) int {
	if s.batched != nil && s.age != *s.batched {
		clear(s.indexes)
		s.age = *s.batched
	}
	if index, ok := s.indexes[name]; ok {
		return index
	}
	if index := indexIn(s.kernel(), name); index != 0 {
		if s.batched != nil { // as ip: a batch asks once, until one of its lines changes links
			if s.indexes == nil {
				s.indexes = map[string]int{}
			}
			s.indexes[name] = index
		}
		return index
	}
	if digits, ok := strings.CutPrefix(name, "if"); ok {
		if n, err := strconv.ParseUint(digits, 10, 31); err == nil && n > 0 {
			if _, ok := s.brief(int(n)); ok {
				return int(n)
			}
		}
	}
	return 0
}

func indexIn(c *nl.Conn, name string) int {
	req, err := rtnl.GetLink(name)
	if err != nil {
		return 0
	}
	r := c.Query([]nl.Request{req})[0]
	if r.Err != nil || len(r.Messages) == 0 || len(r.Messages[0].Data) < rtnl.IfinfoLen {
		return 0
	}
	return int(int32(native.Uint32(r.Messages[0].Data[4:])))
}

// device is indexOf for a link that must exist.
func (s *session) device(name string) uint32 {
	index := s.indexOf(name)
	if index == 0 {
		noDevice(name)
	}
	return uint32(index)
}

func goodLinkName(name string, most int) bool {
	return name != "" && len(name) <= most && !strings.ContainsAny(name, "/ \t\n\v\f\r")
}
