package state

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A MAC is a 48-bit link-layer address. The zero MAC means none.
type MAC [6]byte

// ParseMAC reads the form 02:00:5e:00:53:01.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	parts := strings.Split(s, ":")
	if len(parts) != len(m) {
		return MAC{}, fmt.Errorf("%q is not a MAC address (want six octets such as 02:00:5e:00:53:01)", s)
	}
	for i, p := range parts {
		b, err := hex.DecodeString(p)
		if err != nil || len(b) != 1 {
			return MAC{}, fmt.Errorf("%q is not a MAC address (octet %q)", s, p)
		}
		m[i] = b[0]
	}
	return m, nil
}

// String is the usual form, or "" for the zero MAC.
func (m MAC) String() string {
	if m.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// IsZero reports whether there is no address.
func (m MAC) IsZero() bool { return m == MAC{} }

// IsMulticast reports whether the group bit is set: no interface may have such an address.
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// MarshalText implements [encoding.TextMarshaler].
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *MAC) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*m = MAC{}
		return nil
	}
	v, err := ParseMAC(string(b))
	*m = v
	return err
}
