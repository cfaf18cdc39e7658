package draw

import "strings"

// textWidth is how wide a text is in a picture, in pixels, for letters of a size: of DejaVu Sans, the widest of the fonts that
// "sans-serif" usually is, so that what fits there fits with the others. Bold letters are an eighth wider.
func textWidth(s string, size int, bold bool) int {
	n := 0 // hundredths of an em
	for _, r := range s {
		switch {
		case runeWidth(r) == 2:
			n += 105
		case strings.ContainsRune("ijlI.,:;'|! ", r):
			n += 34
		case strings.ContainsRune("ftr()[]{}/\\-\"*", r):
			n += 43
		case strings.ContainsRune("mwMW@%…—", r):
			n += 100
		case r >= 'A' && r <= 'Z', strings.ContainsRune("<>=+~#&", r):
			n += 79
		default:
			n += 64
		}
	}
	if bold {
		n += n / 8
	}
	return (n*size + 99) / 100
}

// fit shortens a text at its end so that it is not wider than that.
func fit(s string, size, most int, bold bool) string {
	if textWidth(s, size, bold) <= most {
		return s
	}
	r := []rune(s)
	for len(r) > 0 && textWidth(string(r)+"…", size, bold) > most {
		r = r[:len(r)-1]
	}
	return strings.TrimRight(string(r), " ") + "…"
}

// wrap breaks a text into lines that are not wider than that, at spaces where there are any; of more lines than most the last
// one is shortened.
func wrap(s string, size, wide, most int) []string {
	var lines []string
	rest := strings.Fields(printable(s))
	for len(rest) > 0 {
		line := rest[0]
		rest = rest[1:]
		for len(rest) > 0 && textWidth(line+" "+rest[0], size, false) <= wide {
			line += " " + rest[0]
			rest = rest[1:]
		}
		if len(lines) == most-1 && len(rest) > 0 {
			line, rest = line+" "+strings.Join(rest, " "), nil
		}
		for textWidth(line, size, false) > wide && len(lines) < most-1 { // one long word
			head := strings.TrimSuffix(fit(line, size, wide, false), "…")
			if head == "" {
				break
			}
			lines, line = append(lines, head), line[len(head):]
		}
		lines = append(lines, fit(line, size, wide, false))
	}
	if len(lines) > most {
		lines = lines[:most]
	}
	return lines
}
