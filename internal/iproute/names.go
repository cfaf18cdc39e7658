package iproute

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// confDir is where files give names to numbers.
const confDir = "/etc/iproute2"

// A numberFile is a kind of number with names: those that are known without a file, and the files that add to them or change
// them. What a name is asked for is read once in a command or batch, and only then.
type numberFile struct {
	file, dir string // dir: its files that end in .conf are read too
}

func tablesFile() numberFile {
	return numberFile{file: "rt_tables", dir: "rt_tables.d"}
}

func protocolsFile() numberFile {
	return numberFile{file: "rt_protos", dir: "rt_protos.d"}
}

func knownNames(file string) map[uint32]string {
	switch file {
	case "rt_tables":
		return map[uint32]string{253: "default", 254: "main", 255: "local"}
	case "rt_protos":
		return map[uint32]string{
			0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra", 12: "bird", 13: "dnrouted",
			14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived", 42: "babel", 99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
		}
	case "rt_scopes":
		return map[uint32]string{0: "global", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
	case "rt_realms":
		return map[uint32]string{0: "unknown"}
	case "rt_dsfield":
		return map[uint32]string{0: "0"}
	}
	return map[uint32]string{}
}

// A names are numbers' names both ways.
type names struct {
	byID   map[uint32]string
	byName map[string]uint32
}

// numbers reads a kind of number's names.
func (s *session) numbers(f numberFile) *names {
	if n, ok := s.named[f.file]; ok {
		return n
	}
	n := &names{byID: knownNames(f.file), byName: map[string]uint32{}}
	n.read(filepath.Join(confDir, f.file))
	if f.dir != "" {
		// Only the files' order among themselves matters, and that is the directory's.
		entries, err := os.ReadDir(filepath.Join(confDir, f.dir))
		for _, e := range entries {
			if err == nil && strings.HasSuffix(e.Name(), ".conf") && !strings.HasPrefix(e.Name(), ".") {
				n.read(filepath.Join(confDir, f.dir, e.Name()))
			}
		}
	}
	for id, name := range n.byID {
		if old, ok := n.byName[name]; !ok || id < old {
			n.byName[name] = id
		}
	}
	if s.named == nil {
		s.named = map[string]*names{}
	}
	s.named[f.file] = n
	return n
}

// read adds a file's lines, "NUMBER NAME"; what is no such line is passed over.
func (n *names) read(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		base, digits := 10, words[0]
		if hex, ok := strings.CutPrefix(digits, "0x"); ok {
			base, digits = 16, hex
		}
		if id, err := strconv.ParseUint(digits, base, 32); err == nil {
			n.byID[uint32(id)] = words[1]
		}
	}
}

// name is a number's name, or the number when it has none or when -N wants numbers.
func (s *session) number(f numberFile, id uint32) string {
	if !s.opt.numeric {
		if name, ok := s.numbers(f).byID[id]; ok {
			return name
		}
	}
	return strconv.FormatUint(uint64(id), 10)
}

// word reads a name or number.
func (s *session) numberWord(f numberFile, word string, bits int, what string) uint32 {
	if id, ok := s.numbers(f).byName[word]; ok {
		return id
	}
	n, ok := parseUint(word, 0, bits)
	if !ok {
		invalid(what, word)
	}
	return uint32(n)
}

func tableName(s *session, id uint32) string { return s.number(tablesFile(), id) }

func protocolName(s *session, id uint8) string { return s.number(protocolsFile(), uint32(id)) }

func scopeName(s *session, id uint8) string {
	return s.number(numberFile{file: "rt_scopes"}, uint32(id))
}

// dsName is the name of a value of the field for differentiated services, in hexadecimal when it has none.
func (s *session) dsName(v uint8) string {
	if !s.opt.numeric {
		if name, ok := s.numbers(numberFile{file: "rt_dsfield"}).byID[uint32(v)]; ok {
			return name
		}
	}
	return tosWord(v)
}

func (s *session) dsWord(word, what string) uint8 {
	if id, ok := s.numbers(numberFile{file: "rt_dsfield"}).byName[word]; ok {
		return uint8(id)
	}
	return dsfield(word, what)
}

// dsfield reads a hexadecimal byte.
func dsfield(word, what string) uint8 {
	n, ok := parseUint(word, 16, 8)
	if !ok {
		invalid(what, word)
	}
	return uint8(n)
}

// tableWord reads a routing table.
func tableWord(s *session, word string) uint32 {
	return s.numberWord(tablesFile(), word, 32, "invalid table ID\n")
}

// protocolWord and scopeWord read a name or number.
func protocolWord(s *session, word string) uint8 {
	return uint8(s.numberWord(protocolsFile(), word, 8, "\"protocol\" value is invalid\n"))
}

func scopeWord(s *session, word string) uint8 {
	return uint8(s.numberWord(numberFile{file: "rt_scopes"}, word, 8, "invalid \"scope\" value."))
}

// realmName and realmWord are for the realms of routes; a word is "TO" or "FROM/TO".
func (s *session) realmName(id uint32) string { return s.number(numberFile{file: "rt_realms"}, id) }

func (s *session) realmWord(word, what string) uint32 {
	from, to, both := strings.Cut(word, "/")
	one := func(part string) uint32 { return s.numberWord(numberFile{file: "rt_realms"}, part, 16, what) }
	if !both {
		return one(from)
	}
	v := one(from) << 16
	return v | one(to)
}

// groupName names a link's group.
func groupName(s *session, g uint32) string { return s.number(numberFile{file: "group"}, g) }

// groupWord reads a group.
func groupWord(s *session, word string) uint32 {
	if n, ok := parseUint(word, 0, 64); ok {
		return uint32(n) // iproute2 drops the upper bits
	}
	return s.numberWord(numberFile{file: "group"}, word, 32, "Invalid \"group\" value\n")
}
