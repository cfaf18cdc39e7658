package iproute

import (
	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// linkObject is "ip link".
func linkObject(s *session, w *words) {
	if !w.more() {
		linkShow(s, w)
		return
	}
	verbs := []verb{
		{"add", func(s *session, w *words) { linkModify(s, w, unix.RTM_NEWLINK, netlink.Create|netlink.Excl) }},
		{"set", func(s *session, w *words) { linkModify(s, w, unix.RTM_NEWLINK, 0) }},
		{"change", func(s *session, w *words) { linkModify(s, w, unix.RTM_NEWLINK, 0) }},
		{"replace", func(s *session, w *words) { linkModify(s, w, unix.RTM_NEWLINK, netlink.Create|netlink.Replace) }},
		{"delete", func(s *session, w *words) { linkModify(s, w, unix.RTM_DELLINK, 0) }},
		{"show", linkShow},
		{"lst", linkShow},
		{"list", linkShow},
		{"xstats", linkXstats},
		{"afstats", linkAfstats},
		{"property", linkProperty},
		{"help", func(s *session, w *words) {
			if !s.helpOfKind(w.peek()) {
				usageOf(linkUsage)
			}
		}},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("link", word)
	}
}

// linkModify is add, set, replace and delete: one grammar for all.
func linkModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	r := &linkRequest{s: s, m: rtnl.NewMessage(rtnl.IfinfoLen), group: -1}
	defer r.close()
	r.set = typ == unix.RTM_NEWLINK && flags&netlink.Create == 0
	r.parse(w)
	r.checkLength(r.addrLen)
	index := r.index
	switch create := flags&netlink.Create != 0; {
	case !create && r.dev == "" && r.group >= 0:
		r.m.U32(unix.IFLA_GROUP, uint32(r.group))
	case !create:
		if r.dev == "" {
			die("Not enough information: \"dev\" argument is required.")
		}
		if index != 0 && typ == unix.RTM_NEWLINK {
			die("index can be used only when creating devices.")
		}
		index = int32(s.device(r.dev))
		if r.group >= 0 {
			r.m.U32(unix.IFLA_GROUP, uint32(r.group))
		}
		if r.name != "" {
			r.m.Str(unix.IFLA_IFNAME, r.name)
		}
	default:
		if r.both() {
			die("both \"name\" and \"dev\" cannot be used when creating devices.")
		}
		if r.kind == "" {
			fail(exitFailed, "Not enough information: \"type\" argument is required")
		}
		if r.link != "" {
			// The lower link may be in another namespace, where its index is asked for.
			lower := s.lowerIndex(r)
			if lower == 0 {
				noDevice(r.link)
			}
			r.m.U32(unix.IFLA_LINK, lower)
		}
		if r.name == "" {
			r.name = r.dev
		}
		if r.name != "" {
			r.m.Str(unix.IFLA_IFNAME, r.name)
		}
		if r.group >= 0 {
			r.m.U32(unix.IFLA_GROUP, uint32(r.group))
		}
	}
	if r.kind != "" {
		r.linkInfo(w)
	}
	head := r.m.Head()
	native.PutUint32(head[4:], uint32(index))
	native.PutUint32(head[8:], r.flags)
	native.PutUint32(head[12:], r.change)
	leaving := r.departure(uint32(index))
	if r.set {
		s.do(r.m.Request(typ, flags))
	} else {
		s.doEcho(r.m.Request(typ, flags))
	}
	s.arrived(leaving)
}

// lowerIndex finds the lower link: where "link-netns" says, else here.
func (s *session) lowerIndex(r *linkRequest) uint32 {
	if r.lowerNS == nil {
		return uint32(s.indexOf(r.link))
	}
	conn, err := r.lowerNS.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return 0
	}
	defer conn.Close()
	return uint32(indexIn(conn, r.link))
}

// linkProperty is "ip link property add|del dev DEV altname NAME ...".
func linkProperty(s *session, w *words) {
	if !w.more() {
		usageOf(linkUsage)
	}
	typ, flags := unix.RTM_DELLINKPROP, netlink.HeaderFlags(0)
	switch word := w.take(); {
	case matches(word, "add"):
		typ, flags = unix.RTM_NEWLINKPROP, netlink.Create|netlink.Excl|netlink.Append
	case matches(word, "delete"):
	case matches(word, "help"):
		usageOf(linkUsage)
	default:
		die("Operator required")
	}
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	at := m.Begin(unix.IFLA_PROP_LIST)
	dev := ""
	for w.more() {
		if word := w.peek(); word == "altname" {
			name := w.next()
			if !goodLinkName(name, 127) {
				invalid("not a valid altname", name)
			}
			m.Str(unix.IFLA_ALT_IFNAME, name)
		} else {
			if word == "dev" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(linkUsage)
			}
			if dev != "" {
				garbage("dev", word)
			}
			dev = word
		}
		w.skip()
	}
	m.End(at)
	if dev == "" {
		fail(exitFailed, "Not enough information: \"dev\" argument is required.")
	}
	native.PutUint32(m.Head()[4:], s.device(dev))
	s.do(m.Request(typ, flags))
}
