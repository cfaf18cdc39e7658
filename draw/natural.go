package draw

import (
	"cmp"
	"strings"
)

// compareNatural orders h2 before h10.
func compareNatural(a, b string) int {
	for x, y := a, b; ; {
		var px, dx, py, dy string
		px, dx, x = split(x)
		py, dy, y = split(y)
		c := cmp.Or(strings.Compare(px, py), compareDigits(dx, dy))
		if c != 0 || x == "" && y == "" {
			return cmp.Or(c, strings.Compare(a, b))
		}
	}
}

// split cuts a name into what is before its first digits, those digits, and the rest.
func split(s string) (prefix, digits, rest string) {
	i := strings.IndexAny(s, "0123456789")
	if i < 0 {
		return s, "", ""
	}
	k := i
	for k < len(s) && s[k] >= '0' && s[k] <= '9' {
		k++
	}
	return s[:i], s[i:k], s[k:]
}

func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}
