package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// printMetrics prints RTA_METRICS.
func printMetrics(p *printer, a rtnl.Attrs) {
	names := []string{"", "lock", "mtu", "window", "rtt", "rttvar", "ssthresh", "cwnd", "advmss", "reordering", "hoplimit", "initcwnd", "features", "rto_min", "initrwnd", "quickack", "congctl", "fastopen_no_cookie"}
	lock := a.U32(unix.RTAX_LOCK)
	p.openArray("metrics", "")
	p.openObject("")
	for i := 2; i < len(names); i++ {
		locked := lock&(1<<i) != 0
		if !a.Has(i) && !locked || i == unix.RTAX_HOPLIMIT && int32(a.U32(i)) == -1 {
			continue
		}
		p.text("%s ", names[i])
		if locked {
			p.text("lock ")
		}
		v := a.U32(i)
		switch i {
		case unix.RTAX_CC_ALGO:
			p.str("congestion", "%s ", a.Str(i))
		case unix.RTAX_FEATURES:
			printFeatures(p, v)
		case unix.RTAX_RTT:
			printMs(p, names[i], v, 8)
		case unix.RTAX_RTTVAR:
			printMs(p, names[i], v, 4)
		case unix.RTAX_RTO_MIN:
			printMs(p, names[i], v, 1)
		default:
			num(p, names[i], "%d ", v)
		}
	}
	p.closeObject()
	p.closeArray("")
}

// printMs prints a time that is kept in parts of a millisecond.
func printMs(p *printer, key string, v, parts uint32) {
	if v /= parts; v >= 1000 && !p.isJSON() {
		p.text("%ss ", strconv.FormatFloat(float64(v)/1000, 'g', 6, 64))
		return
	}
	num(p, key, "%dms ", v)
}

func printFeatures(p *printer, v uint32) {
	const ecn = 1
	if v&ecn != 0 {
		p.null("ecn", "ecn ")
	}
	if v&^ecn != 0 {
		p.hexa("features", "%#x ", uint64(v))
	}
}

// printRealms prints RTA_FLOW.
func (s *session) printRealms(p *printer, v uint32) {
	from, to := v>>16, v&0xffff
	p.openObject("flow")
	p.text("realm")
	if from != 0 {
		p.text("s ")
		p.str("from", "%s/", s.realmName(from))
	} else {
		p.text(" ")
	}
	p.str("to", "%s ", s.realmName(to))
	p.closeObject()
}

// newDst is what a route of MPLS puts in the destination's place, or of another family.
func (s *session) newDst(r *routeMsg) string {
	if r.family == unix.AF_MPLS {
		return labelText(r.a.Bytes(rtaNewDst))
	}
	return r.a.Addr(rtaNewDst).String()
}

// printNexthopInfo prints the next hop that a route refers to, in a line of its own.
func (s *session) printNexthopInfo(p *printer, id uint32) {
	msgs, err := s.askNexthop(id)
	if err != nil {
		return
	}
	for _, m := range msgs {
		p.text("%s\tnh_info ", p.nl)
		p.openObject("nh_info")
		s.printNexthopObject(p, m.Data)
		p.closeObject()
	}
}
