package iproute

import "strings"

// equalFold compares words of ASCII without regard to case.
func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// fnmatch is fnmatch(3) with FNM_CASEFOLD: "*", "?", sets in brackets, and a backslash.
func fnmatch(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	for pattern != "" {
		switch c := pattern[0]; c {
		case '*':
			rest := strings.TrimLeft(pattern, "*")
			for i := 0; i <= len(name); i++ {
				if fnmatch(rest, name[i:]) {
					return true
				}
			}
			return false
		case '?':
			if name == "" {
				return false
			}
			pattern, name = pattern[1:], name[1:]
			continue
		case '[':
			if in, rest, ok := bracket(pattern, name); ok {
				if !in {
					return false
				}
				pattern, name = rest, name[1:]
				continue
			}
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
		}
		if name == "" || pattern[0] != name[0] {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return name == ""
}

// bracket tries a set such as "[a-z]" or "[!0]" on the first letter; ok is false when it is none, but a plain bracket.
func bracket(pattern, name string) (in bool, rest string, ok bool) {
	i := 1
	not := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if not {
		i++
	}
	for first := true; ; first = false {
		if i >= len(pattern) {
			return false, "", false
		}
		if pattern[i] == ']' && !first {
			break
		}
		low := pattern[i]
		high := low
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		if name != "" && low <= name[0] && name[0] <= high {
			in = true
		}
		i++
	}
	return name != "" && in != not, pattern[i+1:], true
}
