package filter

import "encoding/binary"

// A Zone of conntrack keeps connections apart that look the same. The zero value is the zone of all that no rule has put into one.
type Zone struct {
	ID uint16
	// Dir: "original" or "reply" when connections have it in that direction only; "" = in both.
	Dir string
}

// id is the zone's number in one direction (nf_ct_zone_id).
func (z Zone) id(reply bool) uint16 {
	if z.Dir != "" && (z.Dir == "reply") != reply {
		return 0
	}
	return z.ID
}

// zone is the zone that a connection is in.
func (c *Conn) zone() Zone {
	if c.New {
		return c.Where
	}
	return Zone{ID: c.Zone}
}

// zone puts a packet that conntrack has not seen yet into a zone (nft_ct_set_zone_eval, xt_ct_target).
func (e *eval) zone(z Zone) {
	if e.p.Conn == nil && !e.p.Untracked {
		e.p.Zone = z
	}
}

// zoneOf reads a zone's number as nftables' registers hold it.
func zoneOf(b []byte) Zone { return Zone{ID: binary.NativeEndian.Uint16(b)} }
