package reach

import "strings"

// wordAfter returns the word that follows another one.
func wordAfter(s, word string) string {
	f := strings.Fields(s)
	for i := range f {
		if f[i] == word && i+1 < len(f) {
			return f[i+1]
		}
	}
	return ""
}
