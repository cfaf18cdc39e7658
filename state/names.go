package state

import (
	"fmt"
	"strings"
	"unicode"
)

// MaxLinkName is the longest name of an interface in bytes (IFNAMSIZ without its zero).
const MaxLinkName = 15

// MaxAltName is the longest alternative name in bytes (ALTIFNAMSIZ without its zero).
const MaxAltName = 127

// CheckName is the one check for every name that may become a file name, a namespace or a link. It refuses the empty name,
// ".", "..", a slash, white space, control characters, what is not UTF-8's printable set, and more than limit bytes. The
// error does not say what the name is of: the caller does.
func CheckName(name string, limit int) error {
	switch {
	case name == "":
		return fmt.Errorf("the name is empty")
	case name == "." || name == "..":
		return fmt.Errorf("%q is not a name", name)
	case len(name) > limit:
		return fmt.Errorf("%q has %d bytes, the limit is %d", name, len(name), limit)
	}
	for _, r := range name {
		if r == '/' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return fmt.Errorf("%q holds %q, which no name may have", name, r)
		}
	}
	return nil
}

// CheckLinkName checks the name of an interface: CheckName, and no colon (the kernel's dev_valid_name).
func CheckLinkName(name string) error {
	if err := CheckName(name, MaxLinkName); err != nil {
		return err
	}
	if strings.Contains(name, ":") {
		return fmt.Errorf("%q holds ':', which the kernel keeps for labels", name)
	}
	return nil
}

// CheckLabName checks the name of a lab, a node or a net: letters, digits, "-" and "_", starting with a letter or digit.
// A dot would make LAB.NODE ambiguous.
func CheckLabName(name string) error {
	if err := CheckName(name, 63); err != nil {
		return err
	}
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '-' && r != '_') {
			return fmt.Errorf("%q holds %q (letters, digits, - and _ make a name, and it starts with a letter or digit)", name, r)
		}
	}
	return nil
}
