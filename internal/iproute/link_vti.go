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
			if b := a.Bytes(typ); len(b) == 4 {
				keys[i] = uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
			}
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
		k := keys[i]
		r.m.Bytes(typ, []byte{byte(k >> 24), byte(k >> 16), byte(k >> 8), byte(k)})
	}
	writeEndpoints(r.m, local, remote, vtiLocal, vtiRemote)
	r.m.U32(vtiFwmark, mark)
	if link != 0 {
		r.m.U32(vtiLink, link)
	}
}
