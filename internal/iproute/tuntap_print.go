package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// printTun writes what "link show -d" tells of a tun or tap link.
func printTun(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	const queues, disabled = 8, 9
	if a.Has(iflaTunType) {
		switch a.U8(iflaTunType) {
		case unix.IFF_TUN:
			p.str("type", "type %s ", "tun")
		case unix.IFF_TAP:
			p.str("type", "type %s ", "tap")
		default:
			p.str("type", "type %s ", "UNKNOWN:"+strconv.Itoa(int(a.U8(iflaTunType))))
		}
	}
	p.onOff("pi", "pi %s ", a.U8(iflaTunPI) != 0)
	p.onOff("vnet_hdr", "vnet_hdr %s ", a.U8(iflaTunVnetHdr) != 0)
	switch several := a.U8(iflaTunMultiQueue) != 0; {
	case p.isJSON():
		p.boolean("multi_queue", "", several)
	case several:
		p.text("multi_queue ")
	}
	if a.U8(iflaTunMultiQueue) != 0 {
		num(p, "numqueues", "numqueues %d ", a.U32(queues))
		num(p, "numdisabled", "numdisabled %d ", a.U32(disabled))
	}
	p.onOff("persist", "persist %s ", a.U8(iflaTunPersist) != 0)
	if a.Has(iflaTunOwner) {
		printUser(p, a.U32(iflaTunOwner))
	}
	if a.Has(iflaTunGroup) {
		printGroup(p, a.U32(iflaTunGroup))
	}
}
