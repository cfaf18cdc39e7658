package iproute

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// A counter is one of struct rtnl_link_stats64: its place there, and its name in JSON and in text.
type counter struct {
	at    int
	key   string
	title string
}

// noCounter is a column that is not there.
const noCounter = -1

// carrierChanges is no counter of the struct, but stands with them.
const carrierChanges = -2

func statRows() (rx, rxErrors, tx, txErrors []counter) {
	rx = []counter{{2, "bytes", "bytes"}, {0, "packets", "packets"}, {4, "errors", "errors"}, {6, "dropped", "dropped"}, {15, "", "missed"}, {8, "multicast", "mcast"}, {21, "compressed", "compressed"}}
	rxErrors = []counter{{noCounter, "", ""}, {10, "length_errors", "length"}, {12, "crc_errors", "crc"}, {13, "frame_errors", "frame"}, {14, "fifo_errors", "fifo"}, {11, "", "overrun"}, {23, "nohandler", "nohandler"}}
	tx = []counter{{3, "bytes", "bytes"}, {1, "packets", "packets"}, {5, "errors", "errors"}, {7, "dropped", "dropped"}, {17, "carrier_errors", "carrier"}, {9, "collisions", "collsns"}, {22, "compressed", "compressed"}}
	txErrors = []counter{{noCounter, "", ""}, {16, "aborted_errors", "aborted"}, {18, "fifo_errors", "fifo"}, {20, "window_errors", "window"}, {19, "heartbeat_errors", "heartbt"}, {carrierChanges, "carrier_changes", "transns"}}
	return rx, rxErrors, tx, txErrors
}

// printStats prints the counters; -s twice adds those of each kind of error,
// whose columns "ip link" makes at least seven wide.
func (s *session) printStats(p *printer, l *linkMsg) {
	b := l.a.Bytes(unix.IFLA_STATS64)
	if b == nil {
		return
	}
	at := func(i int) uint64 {
		switch {
		case i == carrierChanges:
			return uint64(l.a.U32(unix.IFLA_CARRIER_CHANGES))
		case i < 0 || len(b) < 8*(i+1):
			return 0
		}
		return native.Uint64(b[8*i:])
	}
	if p.isJSON() {
		s.statsJSON(p, at, l.a.Has(unix.IFLA_CARRIER_CHANGES))
		return
	}
	rx, rxErrors, tx, txErrors := statRows()
	if last := len(txErrors) - 1; !l.a.Has(unix.IFLA_CARRIER_CHANGES) {
		txErrors[last] = counter{at: noCounter} // "ip stats" has no changes of carrier
	}
	rows := [][]counter{rx, tx}
	if s.opt.stats > 1 {
		rows = [][]counter{rx, rxErrors, tx, txErrors}
	}
	width := []int{10, 7, 6, 7, 7, 7, 10}
	for _, row := range rows {
		for i, c := range row {
			width[i] = max(width[i], len(s.amount(at(c.at))))
		}
	}
	p.text("%s", p.nl)
	s.statRow(p, "RX:", rx, width, at)
	if s.opt.stats > 1 {
		p.text("%s", p.nl)
		s.errorRow(p, "RX errors:", rxErrors, width, at)
	}
	p.text("%s", p.nl)
	s.statRow(p, "TX:", tx, width, at)
	if s.opt.stats > 1 {
		p.text("%s", p.nl)
		s.errorRow(p, "TX errors:", txErrors, width, at)
	}
}

func (s *session) statRow(p *printer, title string, row []counter, width []int, at func(int) uint64) {
	p.text("    %s", title)
	for i, c := range row {
		w, name := width[i], c.title
		if i == 0 {
			w -= len(title) + 1
		}
		if c.title == "compressed" && at(c.at) == 0 {
			name = ""
		}
		p.text(" %*s", w, name)
	}
	p.text("%s    ", p.nl)
	for i, c := range row {
		if c.title == "compressed" && at(c.at) == 0 {
			break
		}
		p.text("%*s ", width[i], s.amount(at(c.at)))
	}
}

// errorRow has a first column that is empty.
func (s *session) errorRow(p *printer, title string, row []counter, width []int, at func(int) uint64) {
	p.text("    %s%*s", title, width[0]-10, "")
	for i, c := range row[1:] {
		if c.title != "nohandler" || at(c.at) != 0 {
			p.text(" %*s", width[i+1], c.title)
		}
	}
	p.text("%s%*s", p.nl, width[0]+5, "")
	for i, c := range row[1:] {
		if c.title != "" && (c.title != "nohandler" || at(c.at) != 0) {
			p.text("%*s ", width[i+1], s.amount(at(c.at)))
		}
	}
}

func (s *session) statsJSON(p *printer, at func(int) uint64, carrier bool) {
	const overErrors, missedErrors = 11, 15
	rx, rxErrors, tx, txErrors := statRows()
	p.openObject("stats64")
	for _, side := range []struct {
		key      string
		row, err []counter
	}{{"rx", rx, rxErrors}, {"tx", tx, txErrors}} {
		p.openObject(side.key)
		row := side.row
		if s.opt.stats > 1 {
			row = append(row, side.err...)
		}
		for _, c := range row {
			switch {
			case c.title == "missed":
				num(p, "over_errors", "", at(overErrors))
			case c.title == "overrun":
				num(p, "missed_errors", "", at(missedErrors))
			case c.at == noCounter, c.at == carrierChanges && !carrier, (c.title == "compressed" || c.title == "nohandler") && at(c.at) == 0:
			default:
				num(p, c.key, "", at(c.at))
			}
		}
		p.closeObject()
	}
	p.closeObject()
}

// amount writes a number, with -h shortened to three digits and a letter.
func (s *session) amount(v uint64) string {
	if !s.opt.human || v < 1000 {
		return strconv.FormatUint(v, 10)
	}
	const letters = "kMGTPE"
	base, suffix := uint64(1000), ""
	if s.opt.iec {
		base, suffix = 1024, "i"
		if v < base {
			return strconv.FormatUint(v, 10)
		}
	}
	unit, letter := uint64(1), 0
	for {
		unit *= base
		if v/base < unit || letter == len(letters)-1 {
			break
		}
		letter++
	}
	precision := 2
	for limit := uint64(10); precision > 0; precision, limit = precision-1, limit*10 {
		if v/unit < limit {
			break
		}
	}
	return fmt.Sprintf("%.*f%c%s", precision, float64(v)/float64(unit), letters[letter], suffix)
}
