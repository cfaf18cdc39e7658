package iproute

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Attributes of IPsec's virtual tunnel interfaces (IFLA_VTI_*, linux/if_tunnel.h).
const (
	vtiLink   = 1
	vtiIkey   = 2
	vtiOkey   = 3
	vtiLocal  = 4
	vtiRemote = 5
	vtiFwmark = 6
)

// parseVTI reads the options of the kinds vti and vti6. A change resets what it does not name, so what the tunnel has comes first.
func (r *linkRequest) parseVTI(w *words) {
	family := unix.AF_INET
	if r.kind == "vti6" {
		family = unix.AF_INET6
	}
	var keys [2]uint32
	var local, remote netip.Addr
	var link, mark uint32
	if r.set {
		a := r.presentData()
		for i, typ := range []int{vtiIkey, vtiOkey} {
			keys[i] = a.BE32(typ)
		}
		local, remote, link, mark = a.Addr(vtiLocal), a.Addr(vtiRemote), uint32(a.U8(vtiLink)), a.U32(vtiFwmark)
	}
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case matches(word, "key"):
			keys[0] = greKeyWord(w.next())
			keys[1] = keys[0]
		case matches(word, "ikey"):
			keys[0] = greKeyWord(w.next())
		case matches(word, "okey"):
			keys[1] = greKeyWord(w.next())
		case matches(word, "remote"):
			remote = address(w.next(), family)
		case matches(word, "local"):
			local = address(w.next(), family)
		case matches(word, "dev"):
			link = r.s.lower(w.next())
		case word == "fwmark":
			mark = u32(w.next(), "invalid fwmark\n")
		default:
			r.unknownOption(r.kind, w)
		}
	}
	for i, typ := range []uint16{vtiIkey, vtiOkey} {
		r.m.BE32(typ, keys[i])
	}
	writeEndpoints(r.m, local, remote, vtiLocal, vtiRemote)
	r.m.U32(vtiFwmark, mark)
	if link != 0 {
		r.m.U32(vtiLink, link)
	}
}
