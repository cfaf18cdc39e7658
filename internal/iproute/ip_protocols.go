package iproute

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// ipProtocols reads the names of Internet's protocols (protocols(5)).
func (s *session) ipProtocols() *names {
	const file = "/etc/protocols"
	if n, ok := s.named[file]; ok {
		return n
	}
	n := &names{byID: map[uint32]string{}, byName: map[string]uint32{}}
	if f, err := os.Open(file); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			text, _, _ := strings.Cut(lines.Text(), "#")
			words := strings.Fields(text)
			if len(words) < 2 {
				continue
			}
			id, err := strconv.ParseUint(words[1], 10, 8)
			if err != nil {
				continue
			}
			if _, ok := n.byID[uint32(id)]; !ok {
				n.byID[uint32(id)] = words[0]
			}
			for i, name := range words {
				if _, ok := n.byName[name]; !ok && i != 1 {
					n.byName[name] = uint32(id)
				}
			}
		}
	}
	if s.named == nil {
		s.named = map[string]*names{}
	}
	s.named[file] = n
	return n
}

// ipProtocol reads a protocol's name or number.
func (s *session) ipProtocol(word, what string) uint8 {
	if n, ok := parseUint(word, 10, 8); ok {
		return uint8(n)
	}
	id, ok := s.ipProtocols().byName[word]
	if !ok {
		invalid(what, word)
	}
	return uint8(id)
}

func (s *session) ipProtocolName(v uint8) string {
	if name, ok := s.ipProtocols().byID[uint32(v)]; ok && !s.opt.numeric {
		return name
	}
	return "ipproto-" + strconv.Itoa(int(v))
}
