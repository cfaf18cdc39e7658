package rtnl

import (
	"encoding/binary"
	"fmt"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// tcmsgLen is the size of struct tcmsg (linux/rtnetlink.h).
const tcmsgLen = 20

// Attributes of traffic control (TCA_*, TCA_STATS_*) and special parents (linux/pkt_sched.h).
const (
	tcaKind, tcaStats2                           = 1, 7
	tcaStatsBasic, tcaStatsQueue, tcaStatsPkt64  = 1, 3, 8
	tcIngressFilters, tcEgressFilters            = 0xfffffff2, 0xfffffff3
	tcHandleOfIngress                            = 0xffff0000
	tcIndexOffset, tcHandleOffset, tcParentStart = 4, 8, 12
)

// DumpQdiscs reads the queueing disciplines of all links.
func DumpQdiscs() nl.Request {
	return nl.Request{Type: unix.RTM_GETQDISC, Data: make([]byte, tcmsgLen)}
}

// DecodeQdisc reads the body of an RTM_NEWQDISC message. Its counters are there when it has counted anything.
func DecodeQdisc(data []byte, names Names) (state.Qdisc, error) {
	head, w, err := header(data, tcmsgLen)
	if err != nil {
		return state.Qdisc{}, fmt.Errorf("queueing discipline: %w", err)
	}
	q := state.Qdisc{
		Link:   nameOf(names, binary.NativeEndian.Uint32(head[tcIndexOffset:])),
		Handle: binary.NativeEndian.Uint32(head[tcHandleOffset:]),
		Parent: binary.NativeEndian.Uint32(head[tcParentStart:]),
	}
	for w.next() {
		switch w.typ {
		case tcaKind:
			q.Kind = w.str()
		case tcaStats2:
			q.Stats = w.tcStats()
		}
	}
	if w.err != nil {
		return state.Qdisc{}, fmt.Errorf("queueing discipline of %s: %w", q.Link, w.err)
	}
	return q, nil
}

// tcStats reads struct gnet_stats_basic and gnet_stats_queue (linux/gen_stats.h).
func (w *walker) tcStats() *state.Stats {
	var s state.Stats
	in := walk(w.data)
	for in.next() {
		switch {
		case in.typ == tcaStatsBasic && len(in.data) >= 12:
			s.TxBytes = binary.NativeEndian.Uint64(in.data)
			s.TxPackets = uint64(binary.NativeEndian.Uint32(in.data[8:]))
		case in.typ == tcaStatsPkt64 && len(in.data) >= 8:
			s.TxPackets = binary.NativeEndian.Uint64(in.data)
		case in.typ == tcaStatsQueue && len(in.data) >= 12:
			s.TxDropped = uint64(binary.NativeEndian.Uint32(in.data[8:]))
		}
	}
	w.fail2(in.err)
	if s == (state.Stats{}) {
		return nil
	}
	return &s
}

// EncodeQdisc writes the body of an RTM_NEWQDISC message, as far as the value goes.
func EncodeQdisc(q state.Qdisc, names Names) ([]byte, error) {
	e := newEncoder()
	index, err := indexOf(names, q.Link)
	if err != nil {
		return nil, err
	}
	e.b = append(e.b, make([]byte, tcmsgLen)...)
	binary.NativeEndian.PutUint32(e.b[tcIndexOffset:], index)
	binary.NativeEndian.PutUint32(e.b[tcHandleOffset:], q.Handle)
	binary.NativeEndian.PutUint32(e.b[tcParentStart:], q.Parent)
	e.str(tcaKind, q.Kind)
	if s := q.Stats; s != nil {
		at := e.begin(tcaStats2)
		b := binary.NativeEndian.AppendUint64(nil, s.TxBytes)
		e.bytes(tcaStatsBasic, append(binary.NativeEndian.AppendUint32(b, uint32(s.TxPackets)), 0, 0, 0, 0))
		e.bytes(tcaStatsPkt64, binary.NativeEndian.AppendUint64(nil, s.TxPackets))
		b = make([]byte, 20)
		binary.NativeEndian.PutUint32(b[8:], uint32(s.TxDropped))
		e.bytes(tcaStatsQueue, b)
		e.end(at)
	}
	return e.data()
}

// FilterParents are where the filters of a queueing discipline hang: none for one that has no filters.
func FilterParents(q state.Qdisc) []uint32 {
	switch q.Kind {
	case "clsact":
		return []uint32{tcIngressFilters, tcEgressFilters}
	case "ingress":
		return []uint32{tcHandleOfIngress}
	case "htb", "prio", "hfsc", "drr", "qfq", "ets", "cbq", "dsmark", "multiq", "cake", "sfq", "fq_codel", "fq_pie", "skbprio", "atm":
		return []uint32{q.Handle}
	}
	return nil
}

// DumpFilters reads the filters of a link below a parent.
func DumpFilters(link string, parent uint32, names Names) (nl.Request, error) {
	index, err := indexOf(names, link)
	if err != nil {
		return nl.Request{}, err
	}
	b := make([]byte, tcmsgLen)
	binary.NativeEndian.PutUint32(b[tcIndexOffset:], index)
	binary.NativeEndian.PutUint32(b[tcParentStart:], parent)
	return nl.Request{Type: unix.RTM_GETTFILTER, Data: b}, nil
}

// DecodeFilterKinds reads a dump of filters: the kind of each, in order, each kind once.
func DecodeFilterKinds(msgs []netlink.Message) ([]string, error) {
	var kinds []string
	for _, m := range msgs {
		if m.Header.Type != unix.RTM_NEWTFILTER {
			continue
		}
		_, w, err := header(m.Data, tcmsgLen)
		if err != nil {
			return kinds, fmt.Errorf("filter: %w", err)
		}
		for w.next() {
			if w.typ == tcaKind {
				if k := w.str(); len(kinds) == 0 || kinds[len(kinds)-1] != k {
					kinds = append(kinds, k)
				}
			}
		}
		if w.err != nil {
			return kinds, fmt.Errorf("filter: %w", w.err)
		}
	}
	return kinds, nil
}
