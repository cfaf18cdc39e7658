package iproute

import (
	"fmt"
	"strconv"
)

// ssMilliseconds is a time as ss writes it: "204ms", "1.204ms" (seconds, a point, and thousandths), "9sec", "2min30sec".
func ssMilliseconds(ms uint32) string {
	minutes, seconds, rest := ms/60000, ms/1000%60, ms%1000
	text := ""
	if minutes > 0 {
		rest = 0
		text = fmt.Sprintf("%dmin", minutes)
		if minutes > 9 {
			seconds = 0
		}
	}
	if seconds > 0 {
		if seconds > 9 {
			rest = 0
		}
		unit := "sec"
		if rest > 0 {
			unit = "."
		}
		text += strconv.Itoa(int(seconds)) + unit
	}
	if rest > 0 {
		text += fmt.Sprintf("%03dms", rest)
	}
	return text
}

// general is C's %g with that precision.
func general(v float64, precision int) string { return strconv.FormatFloat(v, 'g', precision, 64) }

// short is C's %g.
func short(v float64) string { return general(v, 6) }

// alternate is C's %#x: 0 has no prefix.
func alternate(v uint64) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("0x%x", v)
}

// rate is bits per second, with -n in full.
func (s *ss) rate(bits float64) string {
	if s.opt.numeric {
		return strconv.FormatFloat(bits, 'f', 0, 64)
	}
	for _, u := range []struct {
		least float64
		unit  string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if bits >= u.least {
			return general(bits/u.least, 3) + u.unit
		}
	}
	return short(bits)
}
