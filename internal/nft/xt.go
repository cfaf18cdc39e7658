package nft

import (
	"warren/internal/xt"
	"warren/state"
)

// Attributes of the expressions that carry iptables' extensions (NFTA_MATCH_*, NFTA_TARGET_*).
const xtName, xtRevision, xtInfo = 1, 2, 3

// xtables reads a match or a target of iptables-nft. One of a family that iptables has no extensions for stays opaque.
func (m *machine) xtables(name string, a attrTable) bool {
	var v6 bool
	switch m.table.Family {
	case "ip6":
		v6 = true
	case "ip", "bridge", "arp":
	default:
		return false
	}
	ext, revision := cstring(a[xtName]), uint8(min(be32(a[xtRevision]), 255))
	if ext == "" {
		return false
	}
	bridge := m.table.Family == "bridge"
	if name == "match" {
		x := xt.DecodeMatch(ext, revision, a[xtInfo], v6)
		if bridge {
			x = xt.DecodeBridgeMatch(ext, revision, a[xtInfo])
		}
		m.emit(state.Expr{XTMatch: &x})
	} else {
		x := xt.DecodeTarget(ext, revision, a[xtInfo], v6)
		if bridge {
			x = xt.DecodeBridgeTarget(ext, revision, a[xtInfo])
		}
		m.emit(state.Expr{XTTarget: &x})
	}
	return true
}
