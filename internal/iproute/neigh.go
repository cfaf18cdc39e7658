package iproute

import (
	"net/netip"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// neighObject is "ip neighbour".
func neighObject(s *session, w *words) {
	modify := func(typ int, flags netlink.HeaderFlags) func(*session, *words) {
		return func(s *session, w *words) { neighModify(s, w, typ, flags) }
	}
	verbs := []verb{
		{"add", modify(unix.RTM_NEWNEIGH, netlink.Create|netlink.Excl)},
		{"change", modify(unix.RTM_NEWNEIGH, netlink.Replace)},
		{"chg", modify(unix.RTM_NEWNEIGH, netlink.Replace)},
		{"replace", modify(unix.RTM_NEWNEIGH, netlink.Create|netlink.Replace)},
		{"delete", modify(unix.RTM_DELNEIGH, 0)},
		{"get", neighGet},
		{"show", neighShow},
		{"lst", neighShow},
		{"list", neighShow},
		{"flush", neighFlush},
		{"help", func(*session, *words) { usageOf(neighUsage) }},
	}
	if !w.more() {
		neighShow(s, w)
		return
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("neigh", word)
	}
}

// ndaProtocol is NDA_PROTOCOL (linux/neighbour.h), which package unix does not name.
const ndaProtocol = 12

// nudStates are NUD_* (linux/neighbour.h), in ip's order.
func nudStates() []mode {
	return []mode{{"INCOMPLETE", 1}, {"REACHABLE", 2}, {"STALE", 4}, {"DELAY", 8}, {"PROBE", 16}, {"FAILED", 32}, {"NOARP", 64}, {"PERMANENT", 128}}
}

func nudWord(word string) uint16 {
	if word == "none" {
		return 0
	}
	for _, n := range nudStates() {
		if strings.ToLower(n.name) == word {
			return uint16(n.value)
		}
	}
	n, ok := parseUint(word, 0, 16)
	if !ok || n > 255 {
		invalid("nud state is bad", word)
	}
	return uint16(n)
}

func neighModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	state, ndFlags, dev, lladdr := uint16(nudPermanent), uint8(0), "", "null"
	family, has := s.opt.family, false
	for w.more() {
		switch word := w.peek(); {
		case word == "lladdr":
			lladdr = w.next()
		case word == "nud":
			state = nudWord(w.next())
		case matches(word, "proxy"):
			next := w.next()
			if has {
				duplicate("address", next)
			}
			a, of := host(next, family)
			family, has = of, of != unix.AF_UNSPEC
			m.Addr(unix.NDA_DST, a)
			ndFlags |= unix.NTF_PROXY
		case word == "router":
			ndFlags |= unix.NTF_ROUTER
		case word == "use":
			ndFlags |= unix.NTF_USE
		case word == "extern_learn":
			ndFlags |= unix.NTF_EXT_LEARNED
		case word == "dev":
			dev = w.next()
		case matches(word, "protocol"):
			m.U8(ndaProtocol, protocolWord(s, w.next()))
		case word == "managed":
			m.U32(ndaFlagsExt, ntfExtManaged)
			state = 0
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(neighUsage)
			}
			if has {
				garbage("to", word)
			}
			a, of := host(word, family)
			family, has = of, of != unix.AF_UNSPEC
			m.Addr(unix.NDA_DST, a)
		}
		w.skip()
	}
	if !has || dev == "" && ndFlags&unix.NTF_PROXY == 0 { // an address may be answered for on every link
		die("Device and destination are required arguments.")
	}
	if lladdr != "null" { // no address at all
		m.Bytes(unix.NDA_LLADDR, hwWord(lladdr))
	}
	index := uint32(0)
	if dev != "" {
		index = s.device(dev)
	}
	head := m.Head()
	head[0], head[10] = uint8(family), ndFlags
	native.PutUint32(head[4:], index)
	native.PutUint16(head[8:], state)
	req, err := m.Request(typ, flags)
	if err != nil {
		die("%v", err)
	}
	if err := s.kernel().Batch([]nl.Request{req})[0]; err != nil {
		panic(&failure{code: exitKernel, text: kernelText(err), abort: true})
	}
}

const (
	nudReachable = 2
	nudNoARP     = 64
	nudPermanent = 128
)

// A neighFilter is what is to be shown or flushed.
type neighFilter struct {
	family   int
	index    uint32
	state    uint32
	proxy    bool
	unused   bool
	master   uint32
	protocol *uint8
	to       prefixWord
}

func (s *session) neighFilter(w *words, flush bool) *neighFilter {
	f := &neighFilter{family: s.opt.family, state: 0xff &^ nudNoARP}
	if flush {
		f.state = 0x1ff &^ (nudNoARP | nudPermanent) // those without a state too
	}
	said, dev := false, ""
	for w.more() {
		switch word := w.peek(); {
		case word == "dev":
			dev = w.next()
		case word == "master":
			index := s.indexOf(w.next())
			if index == 0 {
				invalid("Device does not exist\n", w.peek())
			}
			f.master = uint32(index)
		case word == "unused":
			f.unused = true
		case word == "nud":
			if !said {
				f.state, said = 0, true
			}
			switch next := w.next(); next {
			case "all":
				f.state = 0xffff
				if flush {
					f.state = 0xff &^ nudNoARP
				}
			default:
				if n := nudWord(next); n == 0 {
					f.state |= 0x100
				} else {
					f.state |= uint32(n)
				}
			}
		case word == "proxy":
			f.proxy = true
		case matches(word, "protocol"):
			v := protocolWord(s, w.next())
			f.protocol = &v
		case word == "vrf":
			f.master = s.domain(w.next(), "Not a valid VRF name\n")
		case word == "nomaster":
			f.master = forever // none has it: the kernel shows all, as with ip
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(neighUsage)
			}
			f.to = prefix(word, f.family)
			if f.family == unix.AF_UNSPEC && f.to.addr.IsValid() {
				f.family = familyOfAddr(f.to.addr)
			}
		}
		w.skip()
	}
	if dev != "" {
		f.index = s.device(dev)
	}
	return f
}

func (s *session) neighMessages(f *neighFilter) [][]byte {
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	m.Head()[0] = uint8(f.family)
	if f.proxy {
		m.Head()[10] = unix.NTF_PROXY
	}
	if f.index != 0 {
		m.U32(unix.NDA_IFINDEX, f.index)
	}
	if f.master != 0 {
		m.U32(unix.NDA_MASTER, f.master)
	}
	req, err := m.Request(unix.RTM_GETNEIGH, 0)
	if err != nil {
		die("%v", err)
	}
	var list [][]byte
	for _, msg := range s.dump(req) {
		if f.lets(msg.Data) {
			list = append(list, msg.Data)
		}
	}
	return list
}

func (f *neighFilter) lets(b []byte) bool {
	if len(b) < rtnl.NdmsgLen {
		return false
	}
	family, index, state, flags := int(b[0]), native.Uint32(b[4:]), uint32(native.Uint16(b[8:])), b[10]
	if family != unix.AF_INET && family != unix.AF_INET6 && f.family != unix.AF_BRIDGE || f.family != unix.AF_UNSPEC && f.family != family || f.index != 0 && f.index != index {
		return false
	}
	if f.state&state == 0 && flags&(unix.NTF_PROXY|unix.NTF_EXT_LEARNED) == 0 && (state != 0 || f.state&0x100 == 0) {
		return false
	}
	a := rtnl.ParseAttrs(b[rtnl.NdmsgLen:])
	if f.protocol != nil && a.U8(ndaProtocol) != *f.protocol {
		return false
	}
	if f.unused && a.Has(unix.NDA_CACHEINFO) {
		if c := a.Bytes(unix.NDA_CACHEINFO); len(c) >= 16 && native.Uint32(c[12:]) != 0 {
			return false
		}
	}
	dst := a.Addr(unix.NDA_DST)
	if !f.to.addr.IsValid() {
		return true
	}
	return dst.IsValid() && netip.PrefixFrom(f.to.addr, f.to.bits).Contains(dst)
}

// neighFlush deletes what the filter lets through; permanent entries stay unless they are asked for.
func neighFlush(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "Flush requires arguments.")
	}
	f := s.neighFilter(w, true)
	const rounds = 10
	if !s.empty(&flush{
		what: "entries", typ: unix.RTM_DELNEIGH, most: rounds, code: exitFailed, gone: unix.ENOENT,
		each: func(yield func([]byte) bool) {
			for _, data := range s.neighMessages(f) {
				if !yield(data) {
					return
				}
			}
		},
		show: func(p *printer, data []byte) { s.printNeigh(p, data, f.index != 0) },
	}) {
		fail(exitFailed, "*** Flush not complete bailing out after %d rounds", rounds)
	}
}
