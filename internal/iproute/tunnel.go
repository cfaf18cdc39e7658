package iproute

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const tunnelUsage = `Usage: ip [ -6 ] tunnel { add | change | delete } NAME [ mode MODE ] [ remote ADDRESS ] [ local ADDRESS ] [ dev DEVICE ]
                [ ttl TTL ] [ tos TOS ] [ [ i | o ]key KEY ] [ [ i | o ]seq ] [ [ i | o ]csum ] [ [no]pmtudisc ]
                [ encaplimit { none | NUMBER } ] [ flowlabel LABEL ] [ dscp inherit ] [ [no]allow-localremote ]
       ip [ -6 ] tunnel [ show [ NAME ] ]
       ip tunnel prl dev DEVICE { prl-default | prl-nodefault | prl-delete } ADDRESS
       ip tunnel 6rd dev DEVICE { 6rd-prefix PREFIX | 6rd-relay_prefix PREFIX | 6rd-reset }
MODE := ipip | gre | sit | isatap | vti; with IPv6 on the outside ip6ip6 | ipip6 | ip6gre | vti6 | any`

// What the kernel is told of tunnels is told by requests on a socket of their family (linux/if_tunnel.h).
const (
	tunnelGet  = 0x89f0
	tunnelAdd  = 0x89f1
	tunnelDel  = 0x89f2
	tunnelChg  = 0x89f3
	tunnelPRL  = 0x89f4 // get the list of possible routers
	prlAdd     = 0x89f5
	prlDel     = 0x89f6
	tunnel6RD  = 0x89f8 // get the prefixes of rapid deployment
	sixRDAdd   = 0x89f9
	sixRDDel   = 0x89fa
	protoAnyIP = 0
)

// Flags of tunnels as they stand in memory: those of GRE are in network order, the others in the machine's.
const tunnelIsVTI, tunnelIsISATAP = 1, 1

func greFlag(v uint16) uint16 {
	return native.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// A tunnelCommand is one command about tunnels with one family on the outside.
type tunnelCommand struct {
	*session
	family int
	// ioctl asks the kernel about the link of that name; what it answers is written into data.
	ioctl func(request uint, name string, data []byte) error
}

// tunnelObject is "ip tunnel". A mode that has IPv6 on the outside decides like -6.
func tunnelObject(s *session, w *words) {
	t := &tunnelCommand{session: s, family: s.opt.family}
	t.ioctl = t.ask
	t.run(w)
}

func (t *tunnelCommand) run(w *words) {
	for i, word := range w.rest() {
		if word == "mode" && i+1 < w.left() {
			if _, six := tunnelModes6()[w.list[w.at+i+1]]; six {
				t.family = unix.AF_INET6
			}
			break
		}
	}
	on := func(run func(*words)) func(*session, *words) { return func(_ *session, w *words) { run(w) } }
	switch t.family {
	case unix.AF_UNSPEC, unix.AF_INET:
		t.family = unix.AF_INET
		word := w.peek()
		if !w.more() {
			t.show4(w)
		} else if !dispatch(t.session, w, []verb{
			{"add", on(func(w *words) { t.modify4(w, tunnelAdd) })},
			{"change", on(func(w *words) { t.modify4(w, tunnelChg) })},
			{"delete", on(t.delete4)},
			{"show", on(t.show4)},
			{"lst", on(t.show4)},
			{"list", on(t.show4)},
			{"prl", on(t.routers)},
			{"6rd", on(t.deployment)},
			{"help", func(*session, *words) { usageOf(tunnelUsage) }},
		}) {
			die("Command \"%s\" is unknown, try \"ip tunnel help\"", word)
		}
	case unix.AF_INET6:
		word := w.peek()
		if !w.more() {
			t.show6(w)
		} else if !dispatch(t.session, w, []verb{
			{"add", on(func(w *words) { t.modify6(w, tunnelAdd) })},
			{"change", on(func(w *words) { t.modify6(w, tunnelChg) })},
			{"delete", on(t.delete6)},
			{"show", on(t.show6)},
			{"lst", on(t.show6)},
			{"list", on(t.show6)},
			{"help", func(*session, *words) { usageOf(tunnelUsage) }},
		}) {
			die("Command \"%s\" is unknown, try \"ip -f inet6 tunnel help\".", word)
		}
	default:
		die("Unsupported protocol family: %d", t.family)
	}
}

// ask is the request to the kernel.
func (t *tunnelCommand) ask(request uint, name string, data []byte) error {
	fd, err := t.space().Socket(t.family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		fail(exitFailed, "create socket failed: %s", errnoText(err))
	}
	defer unix.Close(fd)
	var req struct { // struct ifreq
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(req.name[:unix.IFNAMSIZ-1], name)
	req.data = unsafe.Pointer(&data[0])
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}

// get reads what a tunnel is; what the kernel refuses is said.
func (t *tunnelCommand) get(name string, data []byte) bool {
	err := t.ioctl(tunnelGet, name, data)
	if err != nil {
		t.hint("get tunnel \"" + name + "\" failed: " + errnoText(err))
	}
	return err == nil
}

// mustGet is get for a tunnel that must be there.
func (t *tunnelCommand) mustGet(name string, data []byte) {
	if !t.get(name, data) {
		fail(exitFailed, "")
	}
}

// change adds, changes or deletes a tunnel.
func (t *tunnelCommand) change(what string, request uint, name string, data []byte) {
	if err := t.ioctl(request, name, data); err != nil {
		fail(exitFailed, "%s tunnel \"%s\" failed: %s", what, name, errnoText(err))
	}
}

// tunnelLayout are the bytes of a value as the kernel has it.
func tunnelLayout(v any) []byte {
	b, err := binary.Append(nil, binary.NativeEndian, v)
	if err != nil {
		panic(err) // it has a size
	}
	return b
}

// readTunnel reads them back.
func readTunnel(b []byte, v any) {
	if _, err := binary.Decode(b, binary.NativeEndian, v); err != nil {
		panic(err)
	}
}

// A greSide is how packets of one direction are marked.
type greParts struct {
	In, Out       uint16
	InKey, OutKey [4]byte
}

// word reads a word about keys, numbers of packets and checksums.
func (g *greParts) word(w *words) bool {
	word := w.peek()
	kind, in, out := word, true, true
	switch word[0] {
	case 'i':
		kind, out = word[1:], false
	case 'o':
		kind, in = word[1:], false
	}
	var flag uint16
	switch kind {
	case "key":
		flag = greFlag(greKey)
	case "seq":
		flag = greFlag(greSeq)
	case "csum":
		flag = greFlag(greCsum)
	default:
		return false
	}
	var key [4]byte
	if kind == "key" {
		key = tunnelKeyWord(word, w.next())
	}
	if in {
		g.In |= flag
		if kind == "key" {
			g.InKey = key
		}
	}
	if out {
		g.Out |= flag
		if kind == "key" {
			g.OutKey = key
		}
	}
	return true
}

func tunnelKeyWord(key, word string) [4]byte {
	if strings.Contains(word, ".") {
		return address4(word)
	}
	n, ok := parseUint(word, 0, 32)
	if !ok {
		die("invalid value for \"%s\": \"%s\"; it should be an unsigned integer", key, word)
	}
	return [4]byte(binary.BigEndian.AppendUint32(nil, uint32(n)))
}

// address4 reads an IPv4 address or a word for none.
func address4(word string) [4]byte {
	if word == "any" || word == "default" || word == "all" {
		return [4]byte{}
	}
	a, ok := parseAddr(word, unix.AF_INET)
	if !ok {
		exit("Error: an IP address is expected rather than \"%s\"", word)
	}
	return a.As4()
}

// print prints them; proto is what the tunnel carries.
func (g *greParts) print(p *printer, proto uint8) {
	number := func(key string, b [4]byte) { num(p, key, " "+key+" %d", binary.BigEndian.Uint32(b[:])) }
	in, out := g.In&greFlag(greKey) != 0, g.Out&greFlag(greKey) != 0
	switch {
	case in && out && g.InKey == g.OutKey:
		number("key", g.InKey)
	default:
		if in {
			number("ikey", g.InKey)
		}
		if out {
			number("okey", g.OutKey)
		}
	}
	if proto != unix.IPPROTO_GRE {
		return
	}
	p.openArray("flags", "")
	for _, f := range []struct {
		on        bool
		key, text string
	}{
		{g.In&greFlag(greSeq) != 0, "rx_drop_ooseq", "Drop packets out of sequence."},
		{g.In&greFlag(greCsum) != 0, "rx_csum", "Checksum in received packet is required."},
		{g.Out&greFlag(greSeq) != 0, "tx_seq", "Sequence packets on output."},
		{g.Out&greFlag(greCsum) != 0, "tx_csum", "Checksum output packets."},
	} {
		if f.on && p.isJSON() {
			p.item("", f.key)
		} else if f.on {
			p.text("%s  %s", p.nl, f.text)
		}
	}
	p.closeArray("")
}

// tunnelProto names what is inside.
func tunnelProto(proto uint8) string {
	const mpls = 137
	switch proto {
	case unix.IPPROTO_IPIP:
		return "ip"
	case unix.IPPROTO_GRE:
		return "gre"
	case unix.IPPROTO_IPV6:
		return "ipv6"
	case unix.IPPROTO_ESP:
		return "esp"
	case mpls:
		return "mpls"
	case protoAnyIP:
		return "any"
	}
	return "unknown"
}

// tunnelName reads a name, which is given once.
func tunnelName(to *[unix.IFNAMSIZ]byte, w *words) string {
	word := w.peek()
	if word == "name" {
		word = w.next()
	} else if matches(word, "help") {
		usageOf(tunnelUsage)
	}
	if to[0] != 0 {
		garbage("name", word)
	}
	if !goodLinkName(word, unix.IFNAMSIZ-1) {
		invalid("\"name\" not a valid ifname", word)
	}
	copy(to[:], word)
	return word
}

// tunnelList prints the tunnels among the links, of those hardware types.
func (t *tunnelCommand) tunnelList(name string, each func(l *linkMsg, name string) bool, types ...uint16) {
	p := t.out()
	m := newLinkDump(t.family)
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		die("%v", err)
	}
	for _, msg := range t.dump(req) {
		l, ok := readLink(msg.Data)
		if !ok {
			continue
		}
		is := false
		for _, typ := range types {
			is = is || native.Uint16(msg.Data[2:]) == typ
		}
		own := l.a.Str(unix.IFLA_IFNAME)
		if !is || own == "" || name != "" && name != own || !each(&l, own) {
			continue
		}
		if t.opt.stats > 0 {
			tunnelStats(p, l.a.Bytes(unix.IFLA_STATS64)) // which IPv6 does not tell
		}
		p.b.WriteByte('\n') // also with JSON
	}
}

// tunnelStats prints counters: text, also with JSON.
func tunnelStats(p *printer, b []byte) {
	at := func(i int) uint64 {
		if len(b) < 8*(i+1) {
			return 0
		}
		return native.Uint64(b[8*i:])
	}
	text := &printer{nl: p.nl}
	text.text("%sRX: Packets    Bytes        Errors CsumErrs OutOfSeq Mcasts%s", p.nl, p.nl)
	text.text("    %-10d %-12d %-6d %-8d %-8d %-8d%s", at(0), at(2), at(4), at(13), at(14), at(8), p.nl)
	text.text("TX: Packets    Bytes        Errors DeadLoop NoRoute  NoBufs%s", p.nl)
	text.text("    %-10d %-12d %-6d %-8d %-8d %-6d", at(1), at(3), at(5), at(9), at(17), at(7))
	p.b.Write(text.b.Bytes())
}

// one prints a tunnel alone, which is text whatever -json says.
func (t *tunnelCommand) one(print func(p *printer), end string) {
	p := newPrinter(&options{oneline: t.opt.oneline}, t.coloring())
	print(p)
	p.text("%s", end)
	_, _ = t.stdio.Out.Write(p.b.Bytes()) // nobody to tell
}

// addr4 is an address, in text "any" for none.
func addr4(p *printer, a [4]byte) string {
	if a == [4]byte{} && !p.isJSON() {
		return "any"
	}
	return netip.AddrFrom4(a).String()
}
