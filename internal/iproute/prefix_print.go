package iproute

import (
	"strconv"
	"time"

	"warren/internal/rtnl"
)

// printPrefix prints a prefix that a router told of (struct prefixmsg, linux/rtnetlink.h).
func (s *session) printPrefix(p *printer, data []byte) {
	const size, prefixAddress, cacheinfo = 12, 1, 2
	const onlink, autoconf = 1, 2
	if len(data) < size {
		return
	}
	a := rtnl.ParseAttrs(data[size:])
	p.text("prefix %s/%d", a.Addr(prefixAddress), data[9])
	p.text("dev %s ", s.nameOf(int(native.Uint32(data[4:]))))
	flags := data[10]
	if flags&onlink != 0 {
		p.text("onlink ")
	}
	if flags&autoconf != 0 {
		p.text("autoconf ")
	}
	if b := a.Bytes(cacheinfo); len(b) >= 8 {
		p.text("valid %s preferred %s", strconv.FormatUint(uint64(native.Uint32(b[4:])), 10), strconv.FormatUint(uint64(native.Uint32(b)), 10))
	}
	p.text("\n")
}

// asctime is a point in time in C's way, without the end of the line.
func asctime(seconds int64) string {
	return time.Unix(seconds, 0).Format("Mon Jan _2 15:04:05 2006")
}
