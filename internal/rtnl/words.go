package rtnl

import (
	"fmt"
	"strconv"
)

// words are the names of a small number's values; "" where there is none. A value without a name is written as a number.
type words []string

// name returns the word of a value.
func (w words) name(v uint32) string {
	if int64(v) < int64(len(w)) && w[v] != "" {
		return w[v]
	}
	return strconv.FormatUint(uint64(v), 10)
}

// value finds the value of a word or number.
func (w words) value(what, word string) (uint32, error) {
	for i, n := range w {
		if n == word && n != "" {
			return uint32(i), nil
		}
	}
	if n, err := strconv.ParseUint(word, 10, 32); err == nil {
		return uint32(n), nil
	}
	return 0, fmt.Errorf("unknown %s %q", what, word)
}
