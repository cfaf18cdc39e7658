package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/xfrm"
)

// allocateSPI has the kernel find an index for a state that does not exist yet.
func (x *xfrmCommand) allocateSPI(w *words) {
	var r xfrm.SPIRange
	var mark xfrm.Mark
	var id, low, high bool
	r.State.Family = x.family
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "mode":
			r.State.Mode = xfrmMode(w.next())
		case "mark":
			mark = markWord(w)
		case "reqid":
			r.State.ReqID = u32(w.next(), "REQID value is invalid")
		case "seq":
			r.State.Seq = seqWord(w.next())
		case "min":
			once(&low, "min", word)
			r.Min = u32(w.next(), "value after \"min\" is invalid")
		case "max":
			once(&high, "max", word)
			r.Max = u32(w.next(), "value after \"max\" is invalid")
		default:
			if id {
				invalid("unknown", word)
			}
			id = true
			x.id(w, &r.State.ID, &r.State.Src, &r.State.Family, false)
			if r.State.ID.SPI.Get() != 0 {
				exit("\"spi\" is invalid")
			}
			if x.family == unix.AF_UNSPEC {
				x.family = r.State.Family
			}
		}
	}
	switch {
	case !id:
		exit("Not enough information: ID is required")
	case low && !high:
		exit("\"max\" is missing")
	case low && r.Min > r.Max:
		exit("value after \"min\" is larger than value after \"max\"")
	case !low && high:
		exit("\"min\" is missing")
	case !low: // what RFC 2367's interface takes; compression has 16 bits
		r.Min, r.Max = 0x100, 0x0fffffff
		if r.State.ID.Proto == protoComp {
			r.Max = 0xffff
		}
	}
	if r.State.Family == unix.AF_UNSPEC {
		r.State.Family = unix.AF_INET
	}
	m := xfrmMessage(r)
	addMark(m, mark, false)
	x.tellState(x.out(), x.query(xfrm.AllocSPI, m))
}
