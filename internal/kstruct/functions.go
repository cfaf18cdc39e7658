package kstruct

import (
	"bufio"
	"iter"
	"os"
	"strconv"
	"strings"
)

// Functions are the kernel's, with the addresses where they begin, in the order of a file such as /proc/kallsyms. Without the
// right to see addresses (kernel.kptr_restrict) there are none.
func Functions(path string) iter.Seq2[uint64, string] {
	return func(yield func(uint64, string) bool) {
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
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
			if !yield(n, name) {
				return
			}
		}
	}
}
