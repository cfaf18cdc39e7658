package drops

import (
	"bufio"
	"cmp"
	"os"
	"slices"
	"strconv"
	"strings"
)

// symbols are the kernel's functions by address.
type symbols []symbol

type symbol struct {
	addr uint64
	name string
}

// readSymbols reads a file such as /proc/kallsyms. Without the right to see addresses (kernel.kptr_restrict) it is empty.
func readSymbols(path string) symbols {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var list symbols
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		addr, rest, ok := strings.Cut(lines.Text(), " ")
		if !ok || len(rest) < 3 || rest[0] != 't' && rest[0] != 'T' {
			continue
		}
		n, err := strconv.ParseUint(addr, 16, 64)
		if err != nil || n == 0 {
			continue
		}
		name, _, _ := strings.Cut(rest[2:], "\t") // then the module's
		name, _, _ = strings.Cut(name, ".")       // what the compiler adds: .isra.0, .cold
		list = append(list, symbol{n, name})
	}
	slices.SortFunc(list, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) })
	return list
}

// name is the function that an address is in, "" when it is not known.
func (s symbols) name(addr uint64) string {
	i, found := slices.BinarySearchFunc(s, addr, func(x symbol, a uint64) int { return cmp.Compare(x.addr, a) })
	if !found {
		i--
	}
	if i < 0 {
		return ""
	}
	return s[i].name
}
