package iproute

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/netns"
)

// A linkRequest is what the words of "ip link add" or "set" said so far.
type linkRequest struct {
	s             *session
	m             *rtnl.Message
	flags, change uint32
	index         int32
	dev, name     string
	devIsName     bool // "name X" without a link stands for both
	link, kind    string
	group         int64 // -1 = not said
	set           bool  // a link that is there is changed
	addrLen       int   // of the address, in bytes; 0 = none was given
	lowerNS       *netns.Handle
	moveTo        *netns.Handle   // "netns NAME"
	movePID       int             // "netns PID"
	open          []*netns.Handle // until the request is sent
	seen          map[string]bool
}

func (r *linkRequest) close() {
	for _, h := range r.open {
		h.Close()
	}
	r.open = nil
}

// both: a link and a new name for it.
func (r *linkRequest) both() bool { return r.name != "" && r.dev != "" && r.name != r.dev }

// once refuses a word that comes twice.
func (r *linkRequest) once(key string, w *words) {
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	if r.seen[key] {
		duplicate(key, w.peek())
	}
	r.seen[key] = true
}

// parse reads words up to "type TYPE", which it takes too.
func (r *linkRequest) parse(w *words) {
	for w.more() {
		word := w.peek()
		switch {
		case word == "up":
			r.flag(unix.IFF_UP, true)
		case word == "down":
			r.flag(unix.IFF_UP, false)
		case word == "name":
			name := w.next()
			if r.name != "" {
				duplicate("name", name)
			}
			if !goodLinkName(name, 15) {
				invalid("\"name\" not a valid ifname", name)
			}
			r.name = name
			if r.dev == "" {
				r.dev, r.devIsName = name, true
			}
		case word == "index":
			n, ok := parseInt(w.next())
			if r.index != 0 {
				duplicate("index", w.peek())
			}
			if !ok || n <= 0 {
				invalid("Invalid \"index\" value", w.peek())
			}
			r.index = int32(n)
		case matches(word, "link"):
			r.link = w.next()
		case matches(word, "address"):
			b := hwWord(w.next())
			r.m.Bytes(unix.IFLA_ADDRESS, b)
			r.addrLen = len(b)
		case matches(word, "broadcast"), word == "brd":
			r.m.Bytes(unix.IFLA_BROADCAST, hwWord(w.next()))
		case matches(word, "txqueuelen"), word == "qlen", matches(word, "txqlen"):
			n, ok := parseInt(w.next())
			r.once("txqueuelen", w)
			if !ok {
				invalid("Invalid \"txqueuelen\" value\n", w.peek())
			}
			r.m.U32(unix.IFLA_TXQLEN, uint32(int32(n)))
		case word == "mtu":
			n, ok := parseInt(w.next())
			r.once("mtu", w)
			if !ok {
				invalid("Invalid \"mtu\" value\n", w.peek())
			}
			r.m.U32(unix.IFLA_MTU, uint32(int32(n)))
		case word == "netns":
			r.target(w.next())
		case word == "multicast":
			r.flag(unix.IFF_MULTICAST, onOff("multicast", w.next()))
		case word == "allmulticast":
			r.flag(unix.IFF_ALLMULTI, onOff("allmulticast", w.next()))
		case word == "promisc":
			r.flag(unix.IFF_PROMISC, onOff("promisc", w.next()))
		case word == "trailers":
			r.flag(unix.IFF_NOTRAILERS, !onOff("trailers", w.next()))
		case word == "arp":
			r.flag(unix.IFF_NOARP, !onOff("arp", w.next()))
		case word == "carrier":
			r.u8(unix.IFLA_CARRIER, onOff("carrier", w.next()))
		case matches(word, "dynamic"):
			r.flag(unix.IFF_DYNAMIC, onOff("dynamic", w.next()))
		case matches(word, "type"):
			r.kind = w.next()
			w.skip()
			return
		case matches(word, "alias"):
			alias := w.next()
			if len(alias) >= 256 {
				invalid("alias too long\n", alias)
			}
			if alias == "" {
				r.m.Bytes(unix.IFLA_IFALIAS, nil)
			} else {
				r.m.Bytes(unix.IFLA_IFALIAS, []byte(alias))
			}
		case word == "group":
			r.once("group", w)
			r.group = int64(groupWord(r.s, w.next()))
		case !r.parseRare(word, w):
			if word == "dev" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(linkUsage)
			}
			if r.dev != "" && !r.devIsName {
				garbage("dev", word)
			}
			if !goodLinkName(word, 127) {
				invalid("\"dev\" not a valid ifname", word)
			}
			r.dev, r.devIsName = word, false
		}
		w.skip()
	}
}

// parseRare reads the words that are seldom used.
func (r *linkRequest) parseRare(word string, w *words) bool {
	switch {
	case word == "master":
		index := r.s.indexOf(w.next())
		if index == 0 {
			invalid("Device does not exist\n", w.peek())
		}
		r.m.U32(unix.IFLA_MASTER, uint32(index))
	case word == "nomaster":
		r.m.U32(unix.IFLA_MASTER, 0)
	case matches(word, "mode"):
		r.enum(unix.IFLA_LINKMODE, w.next(), "Invalid link mode\n", "default", "dormant")
	case matches(word, "state"):
		r.enum(unix.IFLA_OPERSTATE, strings.ToUpper(w.next()), "Invalid operstate\n", "UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")
	case matches(word, "numtxqueues"):
		r.m.U32(unix.IFLA_NUM_TX_QUEUES, u32(w.next(), "Invalid \"numtxqueues\" value\n"))
	case matches(word, "numrxqueues"):
		r.m.U32(unix.IFLA_NUM_RX_QUEUES, u32(w.next(), "Invalid \"numrxqueues\" value\n"))
	case matches(word, "addrgenmode"):
		r.addrGenMode(w.next())
	case matches(word, "link-netns"):
		word := w.next()
		h, err := netns.OpenPath(netnsFile(word))
		if err != nil {
			invalid("Invalid \"link-netns\" value\n", word)
		}
		r.open = append(r.open, h)
		r.lowerNS = h
		r.linkNSID(h)
	case word == "link-netnsid":
		n, ok := parseInt(w.next())
		if !ok {
			invalid("Invalid \"link-netnsid\" value\n", w.peek())
		}
		r.m.U32(unix.IFLA_LINK_NETNSID, uint32(int32(n)))
	case word == "protodown":
		r.u8(unix.IFLA_PROTO_DOWN, onOff("protodown", w.next()))
	case word == "gso_max_size":
		r.m.U32(unix.IFLA_GSO_MAX_SIZE, u32(w.next(), "Invalid \"gso_max_size\" value\n"))
	case word == "gso_max_segs":
		r.m.U32(unix.IFLA_GSO_MAX_SEGS, u32(w.next(), "Invalid \"gso_max_segs\" value\n"))
	case word == "gro_max_size":
		r.m.U32(unix.IFLA_GRO_MAX_SIZE, u32(w.next(), "Invalid \"gro_max_size\" value\n"))
	case word == "vf":
		r.parseVF(w)
	case word == "xdp", word == "xdpgeneric", word == "xdpdrv", word == "xdpoffload":
		r.parseXDP(word, w)
	case word == "vrf":
		r.m.U32(unix.IFLA_MASTER, r.s.domain(w.next(), "Not a valid VRF name\n"))
	case word == "parentdev":
		r.m.Str(iflaParentDevName, w.next())
	case word == "protodown_reason":
		r.parseReason(w)
	default:
		return false
	}
	return true
}

func (r *linkRequest) flag(bit uint32, on bool) {
	r.change |= bit
	r.flags &^= bit
	if on {
		r.flags |= bit
	}
}

func (r *linkRequest) u8(typ uint16, on bool) {
	if on {
		r.m.U8(typ, 1)
	} else {
		r.m.U8(typ, 0)
	}
}

func (r *linkRequest) enum(typ uint16, word, what string, words ...string) {
	for i, name := range words {
		if strings.EqualFold(word, name) {
			r.m.U8(typ, uint8(i))
			return
		}
	}
	r.m.U8(typ, u8(word, what))
}

func (r *linkRequest) addrGenMode(word string) {
	for i, name := range []string{"eui64", "none", "stable_secret", "random"} {
		if word == name {
			spec := r.m.Begin(unix.IFLA_AF_SPEC)
			six := r.m.Begin(unix.AF_INET6)
			r.m.U8(unix.IFLA_INET6_ADDR_GEN_MODE, uint8(i))
			r.m.End(six)
			r.m.End(spec)
			return
		}
	}
	invalid("Invalid address generation mode\n", word)
}

// netnsFile is where "netns WORD" leads: a file below the directory of names, or any path.
func netnsFile(word string) string {
	if strings.Contains(word, "/") {
		return word
	}
	return netnsPath(word)
}

// target is the namespace that the link is to be in: a name, a path or a process.
func (r *linkRequest) target(word string) {
	r.once("netns", &words{list: []string{word}})
	h, err := r.openTarget(word)
	if err == nil {
		r.open = append(r.open, h)
		r.moveTo = h
		r.m.U32(unix.IFLA_NET_NS_FD, uint32(h.FD()))
		return
	}
	pid, perr := strconv.ParseInt(word, 0, 32)
	if perr != nil {
		invalid("Invalid \"netns\" value\n", word)
	}
	r.movePID = int(pid)
	r.m.U32(unix.IFLA_NET_NS_PID, uint32(int32(pid)))
}

func (r *linkRequest) openTarget(word string) (*netns.Handle, error) {
	h, err := netns.OpenPath(netnsFile(word))
	if err != nil && r.s.personality == Warren {
		if _, perr := strconv.ParseInt(word, 0, 32); perr != nil {
			return netns.Open(r.s.ctx, word)
		}
	}
	return h, err
}

// linkNSID says where the lower link is; a namespace without an id gets one.
func (r *linkRequest) linkNSID(h *netns.Handle) {
	for range 2 {
		msgs, err := r.s.ask(rtnl.GetNSID(h.FD()))
		if err == nil && len(msgs) > 0 {
			if id, err := rtnl.DecodeNSID(msgs[0].Data); err == nil && id >= 0 {
				r.m.U32(unix.IFLA_LINK_NETNSID, uint32(id))
				return
			}
		}
		req := rtnl.SetNSID(h.FD(), rtnl.NoNSID)
		r.s.do(req, nil)
	}
	fail(exitFailed, "Cannot get an id for the namespace of the lower link")
}

// checkLength refuses an address that is not of the length that those of the link have. A link that is not there yet has none.
func (r *linkRequest) checkLength(n int) {
	if n == 0 || r.dev == "" {
		return
	}
	req, err := rtnl.GetLink(r.dev)
	if err != nil {
		return
	}
	msgs, err := r.s.ask(req)
	if err != nil || len(msgs) == 0 {
		return
	}
	if l, ok := readLink(msgs[0].Data); ok {
		if b := l.a.Bytes(unix.IFLA_ADDRESS); b != nil && len(b) != n {
			fail(exitFailed, "Invalid address length %d - must be %d bytes", n, len(b))
		}
	}
}
