package iproute

import (
	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// addrObject is "ip address".
func addrObject(s *session, w *words) {
	verbs := []verb{
		{"add", func(s *session, w *words) { addrModify(s, w, unix.RTM_NEWADDR, netlink.Create|netlink.Excl) }},
		{"change", func(s *session, w *words) { addrModify(s, w, unix.RTM_NEWADDR, netlink.Replace) }},
		{"chg", func(s *session, w *words) { addrModify(s, w, unix.RTM_NEWADDR, netlink.Replace) }},
		{"replace", func(s *session, w *words) { addrModify(s, w, unix.RTM_NEWADDR, netlink.Create|netlink.Replace) }},
		{"delete", func(s *session, w *words) { addrModify(s, w, unix.RTM_DELADDR, 0) }},
		{"show", addrShow},
		{"lst", addrShow},
		{"list", addrShow},
		{"flush", addrFlush},
		{"save", addrSave},
		{"showdump", addrShowdump},
		{"restore", func(s *session, _ *words) { s.restore(addrMagic, restoreAddrs) }},
		{"help", func(*session, *words) { usageOf(addrUsage) }},
	}
	if !w.more() {
		addrShow(s, w)
		return
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("address", word)
	}
}

// An addrRequest is what the words said so far.
type addrRequest struct {
	s                 *session
	local, peer       prefixWord
	broadcast         byte // '+', '-', or 0
	hasBroadcast      bool
	broadcastAddr     prefixWord
	anycast           prefixWord
	dev, label        string
	scope             uint8
	scoped            bool
	valid, preferred  uint32
	hasValid, hasPref bool
	metric            uint32
	flags             uint32
}

func addrModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	r := addrRequest{s: s, valid: forever, preferred: forever}
	family := s.opt.family
	for w.more() {
		family = r.word(w, family)
		w.skip()
	}
	if r.dev == "" {
		fail(exitFailed, "Not enough information: \"dev\" argument is required.")
	}
	m := rtnl.NewMessage(rtnl.IfaddrLen)
	prefixlen := 0
	if r.local.set() {
		prefixlen = r.local.bits
		m.Addr(unix.IFA_LOCAL, r.local.addr)
	}
	if r.peer.set() {
		prefixlen = r.peer.bits
	}
	switch {
	case r.peer.set():
		m.Addr(unix.IFA_ADDRESS, r.peer.addr)
	case r.local.addr.IsValid():
		if typ == unix.RTM_DELADDR && r.local.addr.Is4() && !r.local.specified {
			a := r.local.addr.String()
			s.hint("Warning: " + a + " without a prefix length deletes the first " + a + ", whatever its length (say " + a + "/32 to mean that one)")
		} else {
			m.Addr(unix.IFA_ADDRESS, r.local.addr)
		}
	}
	r.writeBroadcast(m, typ, prefixlen)
	if r.anycast.set() {
		m.Addr(unix.IFA_ANYCAST, r.anycast.addr)
	}
	if !r.scoped && typ != unix.RTM_DELADDR && r.local.addr.Is4() && r.local.addr.As4()[0] == 127 {
		r.scope = unix.RT_SCOPE_HOST
	}
	if r.flags&unix.IFA_F_MCAUTOJOIN != 0 && typ == unix.RTM_NEWADDR && !r.local.addr.IsMulticast() {
		fail(exitFailed, "autojoin needs multicast address")
	}
	index := s.device(r.dev)
	r.writeRest(m, typ)
	head := m.Head()
	head[0], head[1], head[2], head[3] = uint8(family), uint8(prefixlen), uint8(r.flags), r.scope
	native.PutUint32(head[4:], index)
	s.doEcho(m.Request(typ, flags))
}

// writeBroadcast computes what "+" (all ones) and "-" (all zeros) stand for.
func (r *addrRequest) writeBroadcast(m *rtnl.Message, typ, prefixlen int) {
	if r.broadcastAddr.set() {
		m.Addr(unix.IFA_BROADCAST, r.broadcastAddr.addr)
		return
	}
	if r.broadcast == 0 || typ == unix.RTM_DELADDR {
		return
	}
	from := r.peer
	if !from.set() {
		from = r.local
	}
	if !from.addr.Is4() {
		fail(exitFailed, "Broadcast can be set only for IPv4 addresses")
	}
	if prefixlen > 30 {
		return
	}
	b := from.addr.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	host := uint32(1)<<(32-prefixlen) - 1
	if prefixlen == 0 {
		host = ^uint32(0)
	}
	if r.broadcast == '+' {
		n |= host
	} else {
		n &^= host
	}
	m.Bytes(unix.IFA_BROADCAST, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func (r *addrRequest) writeRest(m *rtnl.Message, typ int) {
	if r.label != "" {
		m.Str(unix.IFA_LABEL, r.label)
	}
	if r.flags > 0xff {
		m.U32(unix.IFA_FLAGS, r.flags)
	}
	if r.metric != 0 {
		m.U32(unix.IFA_RT_PRIORITY, r.metric)
	}
	if (r.hasValid || r.hasPref) && typ != unix.RTM_DELADDR {
		if r.valid == 0 {
			fail(exitFailed, "valid_lft is zero")
		}
		if r.valid < r.preferred {
			fail(exitFailed, "preferred_lft is greater than valid_lft")
		}
		b := native.AppendUint32(nil, r.preferred)
		b = native.AppendUint32(b, r.valid)
		m.Bytes(unix.IFA_CACHEINFO, append(b, make([]byte, 8)...))
	}
}

// forever is a lifetime without end.
const forever = ^uint32(0)

// lifetime reads a number of seconds.
func lifetime(key, word string) uint32 {
	if word == "forever" {
		return forever
	}
	n, ok := parseUint(word, 0, 32)
	if !ok {
		invalid(key+" value", word)
	}
	return uint32(n)
}

// word reads one word and returns the family as it is known then.
func (r *addrRequest) word(w *words, family int) int {
	switch word := w.peek(); {
	case word == "peer", word == "remote":
		next := w.next()
		if r.peer.set() {
			duplicate("peer", next)
		}
		r.peer = prefix(next, family)
		if family == unix.AF_UNSPEC && r.peer.addr.IsValid() {
			family = familyOfAddr(r.peer.addr)
		}
	case matches(word, "broadcast"), word == "brd":
		next := w.next()
		if r.hasBroadcast {
			duplicate("broadcast", next)
		}
		r.hasBroadcast = true
		switch next {
		case "+", "-":
			r.broadcast = next[0]
		default:
			a, of := host(next, family)
			r.broadcastAddr, family = prefixWord{addr: a, any: !a.IsValid()}, of
		}
	case word == "anycast":
		next := w.next()
		if r.anycast.set() {
			duplicate("anycast", next)
		}
		a, of := host(next, family)
		r.anycast, family = prefixWord{addr: a, any: !a.IsValid()}, of
	case word == "scope":
		r.scope, r.scoped = scopeWord(r.s, w.next()), true
	case word == "dev":
		r.dev = w.next()
	case word == "label":
		r.label = w.next()
	case matches(word, "metric"), matches(word, "priority"), matches(word, "preference"):
		r.metric = u32(w.next(), "\"metric\" value is invalid\n")
	case matches(word, "valid_lft"):
		if next := w.next(); r.hasValid {
			duplicate("valid_lft", next)
		}
		r.valid, r.hasValid = lifetime("valid_lft", w.peek()), true
	case matches(word, "preferred_lft"):
		if next := w.next(); r.hasPref {
			duplicate("preferred_lft", next)
		}
		r.preferred, r.hasPref = lifetime("preferred_lft", w.peek()), true
	case r.flag(word):
	default:
		if word == "local" {
			word = w.next()
		}
		if matches(word, "help") {
			usageOf(addrUsage)
		}
		if r.local.set() {
			garbage("local", word)
		}
		r.local = hostPrefix(word, family)
		if family == unix.AF_UNSPEC && r.local.addr.IsValid() {
			family = familyOfAddr(r.local.addr)
		}
	}
	return family
}

func (r *addrRequest) flag(word string) bool {
	for _, f := range addrFlags() {
		if f.name == word && !f.readonly {
			r.flags |= f.bit
			return true
		}
	}
	return false
}

// An addrFlag is one of IFA_F_*.
type addrFlag struct {
	name     string
	bit      uint32
	readonly bool
}

func addrFlags() []addrFlag {
	return []addrFlag{
		{"secondary", unix.IFA_F_SECONDARY, true},
		{"temporary", unix.IFA_F_SECONDARY, true},
		{"nodad", unix.IFA_F_NODAD, false},
		{"optimistic", unix.IFA_F_OPTIMISTIC, false},
		{"dadfailed", unix.IFA_F_DADFAILED, true},
		{"home", unix.IFA_F_HOMEADDRESS, false},
		{"deprecated", unix.IFA_F_DEPRECATED, true},
		{"tentative", unix.IFA_F_TENTATIVE, true},
		{"permanent", unix.IFA_F_PERMANENT, true},
		{"mngtmpaddr", unix.IFA_F_MANAGETEMPADDR, false},
		{"noprefixroute", unix.IFA_F_NOPREFIXROUTE, false},
		{"autojoin", unix.IFA_F_MCAUTOJOIN, false},
		{"stable-privacy", unix.IFA_F_STABLE_PRIVACY, true},
	}
}
