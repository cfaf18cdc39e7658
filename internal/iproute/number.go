package iproute

import (
	"strconv"
	"strings"
)

// parseUint reads a number as strtoul does with that base (0 = by its prefix), of at most bits bits.
func parseUint(word string, base, bits int) (uint64, bool) {
	w := strings.TrimPrefix(strings.TrimLeft(word, " \t"), "+")
	switch base {
	case 0:
		switch {
		case len(w) > 2 && (strings.HasPrefix(w, "0x") || strings.HasPrefix(w, "0X")):
			w, base = w[2:], 16
		case len(w) > 1 && w[0] == '0':
			w, base = w[1:], 8
		default:
			base = 10
		}
	case 16:
		w = strings.TrimPrefix(strings.TrimPrefix(w, "0x"), "0X")
	}
	n, err := strconv.ParseUint(w, base, bits)
	return n, err == nil
}

// parseInt reads a signed number of 32 bits, of any base.
func parseInt(word string) (int64, bool) {
	w, negative := strings.CutPrefix(word, "-")
	n, ok := parseUint(w, 0, 31)
	if negative {
		return -int64(n), ok
	}
	return int64(n), ok
}

// u32, u16 and u8 read the word or refuse it with that sentence.

func u32(word, what string) uint32 {
	n, ok := parseUint(word, 0, 32)
	if !ok {
		invalid(what, word)
	}
	return uint32(n)
}

func u16(word, what string) uint16 {
	n, ok := parseUint(word, 0, 16)
	if !ok {
		invalid(what, word)
	}
	return uint16(n)
}

func u8(word, what string) uint8 {
	n, ok := parseUint(word, 0, 8)
	if !ok {
		invalid(what, word)
	}
	return uint8(n)
}

// onOff reads "on" or "off".
func onOff(key, word string) bool {
	switch word {
	case "on":
		return true
	case "off":
		return false
	}
	fail(exitFailed, "Error: argument of \"%s\" must be \"on\" or \"off\", not \"%s\"", key, word)
	return false
}

// offOrOn is onOff as bridge has it, whose refusal is the number of EINVAL.
func offOrOn(key, word string) bool {
	if word != "on" && word != "off" {
		const invalidArgument = 256 - 22
		panic(&failure{code: invalidArgument, exact: true, text: "Error: argument of \"" + key + "\" must be one of \"off\", \"on\", not \"" + word + "\""})
	}
	return word == "on"
}

// atoi reads the digits that a word starts with, as C's atoi does.
func atoi(word string) int {
	word = strings.TrimLeft(word, " \t")
	end := 0
	if word != "" && (word[0] == '-' || word[0] == '+') {
		end = 1
	}
	for end < len(word) && word[end] >= '0' && word[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(word[:end], 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}
