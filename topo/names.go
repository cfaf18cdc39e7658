package topo

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"warren/state"
)

// maxRange is how many names one range may stand for, maxMembers how many members all nets of a file may have.
const (
	maxRange   = 10_000
	maxMembers = 100_000
)

var rangeInName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\[([0-9]+)-([0-9]+)\]`) })

// expandName writes out the ranges of a name: h[1-3] is h1, h2, h3, and h[01-10] is h01 ... h10.
func expandName(name string) ([]string, error) {
	m := rangeInName().FindStringSubmatchIndex(name)
	if m == nil {
		if strings.ContainsAny(name, "[]") {
			return nil, fmt.Errorf("%q is not a range (h[1-50] is one)", name)
		}
		return []string{name}, nil
	}
	before, lo, hi, after := name[:m[0]], name[m[2]:m[3]], name[m[4]:m[5]], name[m[1]:]
	first, err1 := strconv.ParseUint(lo, 10, 32)
	last, err2 := strconv.ParseUint(hi, 10, 32)
	if err1 != nil || err2 != nil || first > last || last-first >= maxRange {
		return nil, fmt.Errorf("%q is not a range of 1 to %d names (h[1-50] is one)", name, maxRange)
	}
	width := 0
	if len(lo) > 1 && lo[0] == '0' {
		if len(lo) != len(hi) {
			return nil, fmt.Errorf("%q: both ends of a range with leading zeros have the same width, as in h[01-50]", name)
		}
		width = len(lo)
	}
	rest, err := expandName(after)
	if err != nil {
		return nil, err
	}
	if (last-first+1)*uint64(len(rest)) > maxRange {
		return nil, fmt.Errorf("%q stands for more than %d names", name, maxRange)
	}
	out := make([]string, 0, int(last-first+1)*len(rest))
	for n := first; n <= last; n++ {
		num := strconv.FormatUint(n, 10)
		if pad := width - len(num); pad > 0 {
			num = strings.Repeat("0", pad) + num
		}
		for _, r := range rest {
			out = append(out, before+num+r)
		}
	}
	return out, nil
}

// Names that mean something else.
var (
	reservedNodes = []string{"host", "all", "out"}
	reservedNets  = []string{"lo", "all"} // and "default", but for the lab of that name: Validate knows the lab
)

func checkNodeName(name string) error { return checkWord(name, "node", reservedNodes) }
func checkNetName(name string) error  { return checkWord(name, "net", reservedNets) }

func checkWord(name, what string, reserved []string) error {
	if err := state.CheckLabName(name); err != nil {
		return fmt.Errorf("name of %s: %w", what, err)
	}
	if slices.Contains(reserved, name) {
		return fmt.Errorf("name of %s: %q is reserved", what, name)
	}
	return nil
}
