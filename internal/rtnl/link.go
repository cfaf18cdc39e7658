package rtnl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// create is what every request that makes something says: it fails with EEXIST when the thing is there.
const create = netlink.Create | netlink.Excl

// A Target is the namespace that a link is to be born in or moved to. The zero Target is the socket's own.
type Target struct {
	fd  uint32
	set bool
}

// InNS is the namespace that a descriptor stands for. It is only read while the request is carried out.
func InNS(fd int) Target { return Target{fd: uint32(fd), set: true} }

// LinkOptions are what a link's birth needs besides its value.
type LinkOptions struct {
	NS Target
	// Index is the index to give the link; 0 = the kernel chooses. A taken one is EBUSY.
	Index int
}

// CreateLink makes a link that is not a veth. Names are the socket's namespace for Lower, and that of o.NS for Master. What
// the kernel does not take at birth is left to [FinishLink]: alias, alternative names, attributes as a bridge's port.
func CreateLink(l state.Link, o LinkOptions, names Names) (nl.Request, error) {
	switch l.Kind {
	case "veth":
		return nl.Request{}, errors.New("a veth is born with its peer")
	case "tun":
		return nl.Request{}, errors.New("a tun device cannot be made through rtnetlink")
	case "":
		return nl.Request{}, errors.New("a link without a kind cannot be made")
	}
	e := newEncoder()
	e.birth(&l, o, names)
	info := e.begin(unix.IFLA_LINKINFO)
	e.str(unix.IFLA_INFO_KIND, l.Kind)
	e.kindData(&l, names, false)
	e.end(info)
	if l.Lower != nil && l.Kind != "vxlan" {
		e.lower(l.Lower, names)
	}
	return e.request(unix.RTM_NEWLINK, create)
}

// An End is one end of a veth that is to be made.
type End struct {
	Link state.Link
	LinkOptions
}

// vethInfoPeer is VETH_INFO_PEER (linux/veth.h).
const vethInfoPeer = 1

// CreateCable makes a veth. Both ends get name, MAC, MTU, queue length, group and namespace at birth, and a may be up and have a
// master, whose name a's Names resolves in a's namespace. The peer cannot be born up or with a master (the kernel says
// ENOTCONN): that, and what [CreateLink] leaves out, is left to [FinishLink]. The kernel heeds b's Index only when a has one.
func CreateCable(a, b End, names Names) (nl.Request, error) {
	if b.Index != 0 && a.Index == 0 {
		return nl.Request{}, fmt.Errorf("veth %q: the peer cannot have an index of its choice when the asking end has none", a.Link.Name)
	}
	e := newEncoder()
	e.birth(&a.Link, a.LinkOptions, names)
	info := e.begin(unix.IFLA_LINKINFO)
	e.str(unix.IFLA_INFO_KIND, "veth")
	data := e.begin(unix.IFLA_INFO_DATA)
	peer := e.begin(vethInfoPeer)
	b.Link.Up, b.Link.Master = false, ""
	e.birth(&b.Link, b.LinkOptions, nil)
	e.end(peer)
	e.end(data)
	e.end(info)
	return e.request(unix.RTM_NEWLINK, create)
}

// birth writes header and attributes that every kind of link can be born with.
func (e *encoder) birth(l *state.Link, o LinkOptions, names Names) {
	var flags, change uint32
	if l.Up {
		flags, change = unix.IFF_UP, unix.IFF_UP
	}
	e.linkHeader(uint32(o.Index), flags, change)
	e.str(unix.IFLA_IFNAME, l.Name)
	e.optMAC(unix.IFLA_ADDRESS, l.MAC)
	e.optU32(unix.IFLA_MTU, l.MTU)
	e.optU32(unix.IFLA_TXQLEN, l.TxQueueLen)
	e.optU32(unix.IFLA_GROUP, l.Group)
	e.index(unix.IFLA_MASTER, names, l.Master)
	if o.NS.set {
		e.u32(unix.IFLA_NET_NS_FD, o.NS.fd)
	}
}

// lower writes where a link sits on: a name in the socket's namespace, else an index in the one with that id.
func (e *encoder) lower(p *state.Peer, names Names) {
	if p.Name != "" {
		e.index(unix.IFLA_LINK, names, p.Name)
		return
	}
	e.optU32(unix.IFLA_LINK, uint32(p.Index))
	if p.NSID >= 0 {
		e.u32(unix.IFLA_LINK_NETNSID, uint32(p.NSID))
	}
}

// linkHeader writes struct ifinfomsg.
func (e *encoder) linkHeader(index, flags, change uint32) {
	e.b = append(e.b, unix.AF_UNSPEC, 0, 0, 0)
	e.b = binary.NativeEndian.AppendUint32(e.b, index)
	e.b = binary.NativeEndian.AppendUint32(e.b, flags)
	e.b = binary.NativeEndian.AppendUint32(e.b, change)
}

// FinishLink gives a link that was just born what it could not be born with. Peer says that it is the second end of
// [CreateCable]. The requests address the link by name, so they can follow in the same datagram.
func FinishLink(l state.Link, peer bool, names Names) ([]nl.Request, error) {
	born := l
	born.Alias, born.AltNames, born.Port = "", nil, nil
	if peer {
		born.Up, born.Master = false, ""
	}
	return ChangeLink(born, l, names)
}

// ChangeLink turns a link from before into after. Only what differs and is declared (not zero) in after is sent; Up is always
// declared. Alternative names are made equal when after has any. When the name changes, Names must know the old one;
// otherwise the link is addressed by its name.
func ChangeLink(before, after state.Link, names Names) ([]nl.Request, error) {
	var reqs []nl.Request
	body, err := linkChange(before, after, names)
	if err != nil {
		return nil, err
	}
	if body.Data != nil {
		reqs = append(reqs, body)
	}
	if after.AltNames == nil {
		return reqs, nil
	}
	gone := slices.DeleteFunc(slices.Clone(before.AltNames), func(n string) bool { return slices.Contains(after.AltNames, n) })
	added := slices.DeleteFunc(slices.Clone(after.AltNames), func(n string) bool { return slices.Contains(before.AltNames, n) })
	if len(gone) > 0 {
		r, err := DeleteAltNames(after.Name, gone...)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, r)
	}
	if len(added) > 0 {
		r, err := AddAltNames(after.Name, added...)
		if err != nil {
			return nil, err
		}
		reqs = append(reqs, r)
	}
	return reqs, nil
}

// linkChange is the message with all changes but those of alternative names; it has no data when there are none.
func linkChange(before, after state.Link, names Names) (nl.Request, error) {
	e := newEncoder()
	var index, flags, change uint32
	if before.Name != after.Name {
		var err error
		if index, err = indexOf(names, before.Name); err != nil {
			return nl.Request{}, err
		}
	}
	if before.Up != after.Up {
		change = unix.IFF_UP
		if after.Up {
			flags = unix.IFF_UP
		}
	}
	e.linkHeader(index, flags, change)
	e.linkName(after.Name)
	none := len(e.b)
	if before.MAC != after.MAC {
		e.optMAC(unix.IFLA_ADDRESS, after.MAC)
	}
	if before.MTU != after.MTU {
		e.optU32(unix.IFLA_MTU, after.MTU)
	}
	if before.TxQueueLen != after.TxQueueLen {
		e.optU32(unix.IFLA_TXQLEN, after.TxQueueLen)
	}
	if before.Group != after.Group {
		e.optU32(unix.IFLA_GROUP, after.Group)
	}
	if before.Alias != after.Alias && after.Alias != "" {
		e.bytes(unix.IFLA_IFALIAS, []byte(after.Alias))
	}
	if before.Master != after.Master {
		e.index(unix.IFLA_MASTER, names, after.Master)
	}
	if before.NoAddrGen != after.NoAddrGen {
		e.addrGenSpec(after.NoAddrGen)
	}
	kind, slave := e.kindChange(&before, &after, names), slaveChange(&before, &after)
	if kind != nil || slave != nil {
		info := e.begin(unix.IFLA_LINKINFO)
		if kind != nil {
			e.str(unix.IFLA_INFO_KIND, after.Kind)
			e.b = append(e.b, kind...)
		}
		e.b = append(e.b, slave...)
		e.end(info)
	}
	if len(e.b) == none && change == 0 && index == 0 {
		return nl.Request{}, nil
	}
	return e.request(unix.RTM_NEWLINK, 0)
}

// kindChange is the after's kind data when it differs, else nil.
func (e *encoder) kindChange(before, after *state.Link, names Names) []byte {
	var b, a encoder
	b.kindData(before, names, false)
	a.kindData(after, names, false)
	if a.err != nil {
		e.fail(a.err)
	}
	if len(a.b) <= 4 || b.err == nil && bytes.Equal(a.b, b.b) {
		return nil
	}
	return a.b
}

func slaveChange(before, after *state.Link) []byte {
	var b, a encoder
	b.slaveData(before.Port)
	a.slaveData(after.Port)
	if after.Port == nil || bytes.Equal(a.b, b.b) {
		return nil
	}
	return a.b
}

// SetAddrGen says whether a link gives itself an IPv6 address when it comes up. EAFNOSUPPORT: it has no IPv6.
func SetAddrGen(name string, none bool) (nl.Request, error) {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.linkName(name)
	e.addrGenSpec(none)
	return e.request(unix.RTM_NEWLINK, 0)
}

func (e *encoder) addrGenSpec(none bool) {
	spec := e.begin(unix.IFLA_AF_SPEC)
	f := e.begin(unix.AF_INET6)
	e.addrGen(none)
	e.end(f)
	e.end(spec)
}

// ReleaseLink takes a link away from its master.
func ReleaseLink(name string) (nl.Request, error) {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.linkName(name)
	e.u32(unix.IFLA_MASTER, 0)
	return e.request(unix.RTM_NEWLINK, 0)
}

// SetLinkUp is the commonest change: by name, up or down.
func SetLinkUp(name string, up bool) (nl.Request, error) {
	var flags uint32
	if up {
		flags = unix.IFF_UP
	}
	e := newEncoder()
	e.linkHeader(0, flags, unix.IFF_UP)
	e.linkName(name)
	return e.request(unix.RTM_NEWLINK, 0)
}

// MoveLink moves a link to another namespace, where it gets newName ("" = it keeps its own) and newIndex (0 = its own when that
// is free). To rename it, Names must know it.
func MoveLink(name string, to Target, newName string, newIndex int, names Names) (nl.Request, error) {
	if !to.set {
		return nl.Request{}, fmt.Errorf("move %q: no namespace to move it to", name)
	}
	e := newEncoder()
	if newName == "" || newName == name {
		e.linkHeader(0, 0, 0)
		e.linkName(name)
	} else {
		index, err := indexOf(names, name)
		if err != nil {
			return nl.Request{}, err
		}
		e.linkHeader(index, 0, 0)
		e.str(unix.IFLA_IFNAME, newName)
	}
	e.u32(unix.IFLA_NET_NS_FD, to.fd)
	e.optU32(unix.IFLA_NEW_IFINDEX, uint32(newIndex))
	return e.request(unix.RTM_NEWLINK, 0)
}

// DeleteLink deletes a link by name.
func DeleteLink(name string) (nl.Request, error) {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.linkName(name)
	return e.request(unix.RTM_DELLINK, 0)
}

// AddAltNames gives a link alternative names (Linux 5.5).
func AddAltNames(link string, altnames ...string) (nl.Request, error) {
	return altNames(unix.RTM_NEWLINKPROP, create|netlink.Append, link, altnames)
}

// DeleteAltNames takes alternative names away.
func DeleteAltNames(link string, altnames ...string) (nl.Request, error) {
	return altNames(unix.RTM_DELLINKPROP, 0, link, altnames)
}

func altNames(typ int, flags netlink.HeaderFlags, link string, altnames []string) (nl.Request, error) {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.linkName(link)
	e.propList(altnames)
	return e.request(typ, flags)
}

func (e *encoder) propList(altnames []string) {
	list := e.begin(unix.IFLA_PROP_LIST)
	for _, n := range altnames {
		e.str(unix.IFLA_ALT_IFNAME, n)
	}
	e.end(list)
}

// rtextSkipStats is RTEXT_FILTER_SKIP_STATS: without IPv6's counters, which are a third of a link's message and most of the
// work for it. The link's own counters (IFLA_STATS64) come nevertheless.
const rtextSkipStats = 8

// GetLink reads one link, by name or alternative name. It is meant for [nl.Conn.Exchange].
func GetLink(name string) (nl.Request, error) {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.linkName(name)
	e.u32(unix.IFLA_EXT_MASK, rtextSkipStats)
	return e.request(unix.RTM_GETLINK, 0)
}

// GetLinkIndex is GetLink by index.
func GetLinkIndex(index int) nl.Request {
	e := newEncoder()
	e.linkHeader(uint32(index), 0, 0)
	e.u32(unix.IFLA_EXT_MASK, rtextSkipStats)
	return nl.Request{Type: unix.RTM_GETLINK, Data: e.b}
}

// DumpLinks reads all links; stats includes IPv6's counters.
func DumpLinks(stats bool) nl.Request {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	if !stats {
		e.u32(unix.IFLA_EXT_MASK, rtextSkipStats)
	}
	return nl.Request{Type: unix.RTM_GETLINK, Data: e.b}
}
