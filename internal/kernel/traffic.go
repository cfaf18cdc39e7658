package kernel

import (
	"errors"
	"slices"
	"unsafe"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// readSwitching reads next hop objects, multicast groups, VLANs, queueing disciplines and what hangs on them. Kinds of
// objects that no link here can have are not asked for.
func (o *observation) readSwitching(r *reading, conn *nl.Conn, parts state.Parts, links []state.Link) {
	c := &r.ns.Contents
	if parts.Has(state.PartNextHops) {
		c.NextHops = dump(o, r, conn, "next hop objects", rtnl.DumpNextHops(), func(m []netlink.Message) ([]state.NextHopObject, error) {
			return rtnl.DecodeNextHops(m, &r.names)
		})
	}
	bridges := slices.ContainsFunc(links, func(l state.Link) bool { return l.Kind == "bridge" })
	if parts.Has(state.PartMDB) && bridges {
		c.MDB = dump(o, r, conn, "multicast groups", rtnl.DumpMDB(), func(m []netlink.Message) ([]state.MDBEntry, error) {
			return rtnl.DecodeMDBs(m, &r.names)
		})
	}
	if parts.Has(state.PartVLANs) && bridges {
		c.VLANs = dump(o, r, conn, "VLANs", rtnl.DumpVLANs(), func(m []netlink.Message) ([]state.PortVLAN, error) {
			return rtnl.DecodeVLANs(m, &r.names)
		})
	}
	if parts.Has(state.PartQdiscs) {
		o.readQdiscs(r, conn, rtnl.DecodeQdiscs)
		r.miss("BPF programs", readBPF(c.Links))
	}
}

func (o *observation) readQdiscs(r *reading, conn *nl.Conn, decode func([]netlink.Message, rtnl.Names) ([]state.Qdisc, error)) {
	c := &r.ns.Contents
	c.Qdiscs = dump(o, r, conn, "queueing disciplines", rtnl.DumpQdiscs(), func(m []netlink.Message) ([]state.Qdisc, error) {
		return decode(m, &r.names)
	})
	for i := range c.Qdiscs {
		q := &c.Qdiscs[i]
		for _, parent := range rtnl.FilterParents(*q) {
			req, err := rtnl.DumpFilters(q.Link, parent, &r.names)
			if err != nil {
				r.miss("filters", err)
				continue
			}
			msgs, err := conn.Dump(o.ctx, req)
			if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENODEV) {
				continue
			}
			r.miss("filters", err)
			kinds, err := rtnl.DecodeFilterKinds(msgs)
			r.miss("filters", err)
			q.Filters = append(q.Filters, kinds...)
		}
		if l := c.Link(q.Link); l != nil && slices.Contains(q.Filters, "bpf") {
			l.BPF = append(l.BPF, q.Kind)
		}
	}
}

// Attach types of programs at links (enum bpf_attach_type in linux/bpf.h, Linux 6.6).
const (
	bpfProgQuery  = 16
	bpfTCXIngress = 46
	bpfTCXEgress  = 47
)

// readBPF asks for the programs attached to the links of the namespace that the calling thread is in (tcx). Kernels that do
// not have them have none.
func readBPF(links []state.Link) error {
	for i := range links {
		l := &links[i]
		for _, at := range []struct {
			typ  uint32
			name string
		}{{bpfTCXIngress, "tcx ingress"}, {bpfTCXEgress, "tcx egress"}} {
			n, err := countPrograms(uint32(l.Index), at.typ)
			switch {
			case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT):
				return nil
			case errors.Is(err, unix.ENODEV): // gone
			case err != nil:
				return err
			case n > 0:
				l.BPF = append(l.BPF, at.name)
			}
		}
		slices.Sort(l.BPF)
	}
	return nil
}

// countPrograms asks how many programs are attached to a link (bpf(2), BPF_PROG_QUERY).
func countPrograms(index, attach uint32) (int, error) {
	attr := struct {
		index, attach, queryFlags, attachFlags uint32
		ids                                    uint64
		count                                  uint32
		_                                      uint32
		attachFlagsOf, links, linkFlags        uint64
		revision                               uint64
	}{index: index, attach: attach}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfProgQuery, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return 0, errno
	}
	return int(attr.count), nil
}
