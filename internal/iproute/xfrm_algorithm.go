package iproute

import (
	"strings"

	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// algorithm reads a kind, a name and, but for compression, a key; some have a length at the end.
func (r *stateRequest) algorithm(w *words) {
	kind := w.peek()
	twice := func(was ...bool) {
		for _, b := range was {
			if b {
				duplicate("ALGO-TYPE", kind)
			}
		}
	}
	switch kind {
	case "aead":
		twice(r.crypt, r.auth, r.aead)
		r.aead = true
	case "enc":
		twice(r.crypt, r.aead)
		r.crypt = true
	case "auth", "auth-trunc":
		twice(r.auth, r.aead)
		r.auth = true
	case "comp":
		twice(r.comp)
		r.comp = true
	}
	need := func(what string) string {
		if !follow(w) {
			missing(what)
		}
		return w.peek()
	}
	var name [64]byte
	copy(name[:], need("ALGO-NAME"))
	if kind == "comp" {
		r.attr(func(m *rtnl.Message) { xfrmBytes(m, xfrm.AttrComp, xfrm.Algorithm{Name: name}) })
		return
	}
	keyWord := need("ALGO-KEYMAT")
	var length uint32
	switch kind {
	case "aead":
		length = u32(need("ALGO-ICV-LEN"), "ALGO-ICV-LEN value is invalid")
	case "auth-trunc":
		length = u32(need("ALGO-TRUNC-LEN"), "ALGO-TRUNC-LEN value is invalid")
	}
	key := keyMaterial(keyWord)
	bits := uint32(8 * len(key))
	r.attr(func(m *rtnl.Message) {
		switch kind {
		case "aead":
			xfrmBytes(m, xfrm.AttrAEAD, xfrm.AlgorithmAEAD{Name: name, Bits: bits, ICV: length}, key...)
		case "auth-trunc":
			xfrmBytes(m, xfrm.AttrAuthTrunc, xfrm.AlgorithmTruncated{Name: name, Bits: bits, Trunc: length}, key...)
		case "auth":
			xfrmBytes(m, xfrm.AttrAuth, xfrm.Algorithm{Name: name, Bits: bits}, key...)
		default:
			xfrmBytes(m, xfrm.AttrCrypt, xfrm.Algorithm{Name: name, Bits: bits}, key...)
		}
	})
}

// keyMaterial reads a key: hexadecimal digits after "0x", of which the first may stand alone, or the word's own bytes.
func keyMaterial(word string) []byte {
	const most = 512
	digits, hexadecimal := strings.CutPrefix(word, "0x")
	if !hexadecimal || digits == "" {
		if len(word) > most {
			invalid("ALGO-KEYMAT value makes buffer overflow\n", word)
		}
		return []byte(word)
	}
	if len(digits)%2 != 0 {
		digits = "0" + digits
	}
	if len(digits)/2 > most {
		invalid("ALGO-KEYMAT value makes buffer overflow\n", word)
	}
	key := make([]byte, 0, len(digits)/2)
	for i := 0; i < len(digits); i += 2 {
		n, ok := parseUint(digits[i:i+2], 16, 8)
		if !ok {
			invalid("ALGO-KEYMAT value is invalid", word)
		}
		key = append(key, byte(n))
	}
	return key
}
