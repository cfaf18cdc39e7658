package drops

import (
	"cmp"
	"slices"

	"warren/internal/kstruct"
)

// symbols are the kernel's functions by address.
type symbols []symbol

type symbol struct {
	addr uint64
	name string
}

// readSymbols reads a file such as /proc/kallsyms. Without the right to see addresses (kernel.kptr_restrict) it is empty.
func readSymbols(path string) symbols {
	var list symbols
	for addr, name := range kstruct.Functions(path) {
		list = append(list, symbol{addr, name})
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
