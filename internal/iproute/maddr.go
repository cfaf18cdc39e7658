package iproute

import (
	"cmp"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An maddr is a multicast address that a link listens to.
type maddr struct {
	index  int
	link   string
	family int // AF_PACKET: of the link itself
	text   string
	users  uint64
	static bool
}

// maddrObject is "ip maddress".
func maddrObject(s *session, w *words) {
	verbs := []verb{
		{"show", maddrShow},
		{"add", func(s *session, w *words) { maddrModify(s, w, unix.SIOCADDMULTI) }},
		{"delete", func(s *session, w *words) { maddrModify(s, w, unix.SIOCDELMULTI) }},
		{"lst", maddrShow},
		{"list", maddrShow},
		{"help", func(*session, *words) { usageOf(maddrUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("maddr", word)
	}
}

// procNet reads a file of /proc/net of the namespace.
func (s *session) procNet(name string) []string {
	var b []byte
	err := s.space().Do(func() error {
		var err error
		b, err = os.ReadFile("/proc/thread-self/net/" + name)
		return err
	})
	if err != nil {
		return nil // as ip: what is not there has no lines
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func maddrShow(s *session, w *words) {
	dev := ""
	for w.more() {
		word := w.peek()
		if word == "dev" {
			word = w.next()
		} else if matches(word, "help") {
			usageOf(maddrUsage)
		}
		if dev != "" {
			garbage("dev", word)
		}
		dev = word
		w.skip()
	}
	var list []maddr
	family := s.opt.family
	if family == unix.AF_UNSPEC || family == unix.AF_PACKET {
		list = append(list, linkMaddrs(s.procNet("dev_mcast"))...)
	}
	if family == unix.AF_UNSPEC || family == unix.AF_INET {
		list = append(list, inetMaddrs(s.procNet("igmp"))...)
	}
	if family == unix.AF_UNSPEC || family == unix.AF_INET6 {
		list = append(list, inet6Maddrs(s.procNet("igmp6"))...)
	}
	list = slices.DeleteFunc(list, func(m maddr) bool { return dev != "" && m.link != dev })
	slices.SortStableFunc(list, func(a, b maddr) int { return cmp.Compare(a.index, b.index) })
	s.printMaddrs(list)
}

func (s *session) printMaddrs(list []maddr) {
	p := s.out()
	last := -1
	for _, m := range list {
		if m.index != last || s.opt.oneline {
			if m.index != last && last >= 0 {
				p.closeArray("")
				p.closeObject()
			}
			if m.index != last || !p.isJSON() {
				p.openObject("")
				num(p, "ifindex", "%d:", m.index)
				p.colored(colorName, "ifname", "\t%s", m.link)
				p.text("%s", p.nl)
				p.openArray("maddr", "")
			}
			last = m.index
		}
		p.openObject("")
		if m.family == unix.AF_PACKET {
			p.text("\tlink  ")
			p.colored(colorMAC, "link", "%s", m.text)
		} else {
			p.str("family", "\t%-5s ", familyName(m.family))
			p.colored(colorOfFamily(m.family), "address", "%s", m.text)
		}
		if m.users != 1 {
			num(p, "users", " users %d", m.users)
		}
		if m.static {
			p.is("static", " static")
		}
		p.text("\n")
		p.closeObject()
	}
	if last >= 0 {
		p.closeArray("")
		p.closeObject()
	}
}

// linkMaddrs reads /proc/net/dev_mcast: index, name, users, static users, address.
func linkMaddrs(lines []string) []maddr {
	var list []maddr
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		b, err := hex.DecodeString(f[4])
		index, ierr := strconv.Atoi(f[0])
		users, uerr := strconv.ParseUint(f[2], 10, 32)
		if err != nil || ierr != nil || uerr != nil {
			continue
		}
		list = append(list, maddr{index: index, link: f[1], family: unix.AF_PACKET, text: hwAddr(b, 0), users: users, static: f[3] != "0"})
	}
	return list
}

// inetMaddrs reads /proc/net/igmp: a line for a link, and then indented ones for its groups.
func inetMaddrs(lines []string) []maddr {
	var list []maddr
	index, link := 0, ""
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		if !strings.HasPrefix(line, "\t") {
			n, err := strconv.Atoi(f[0])
			if err != nil {
				continue // the title
			}
			index, link = n, strings.TrimSuffix(f[1], ":")
			continue
		}
		v, err := strconv.ParseUint(f[0], 16, 32)
		users, uerr := strconv.ParseUint(f[1], 10, 32)
		if err != nil || uerr != nil {
			continue
		}
		b := native.AppendUint32(nil, uint32(v))
		list = append(list, maddr{index: index, link: link, family: unix.AF_INET, text: netip.AddrFrom4([4]byte(b)).String(), users: users})
	}
	return list
}

// inet6Maddrs reads /proc/net/igmp6: index, name, address, users.
func inet6Maddrs(lines []string) []maddr {
	var list []maddr
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		b, err := hex.DecodeString(f[2])
		index, ierr := strconv.Atoi(f[0])
		users, uerr := strconv.ParseUint(f[3], 10, 32)
		if err != nil || len(b) != 16 || ierr != nil || uerr != nil {
			continue
		}
		list = append(list, maddr{index: index, link: f[1], family: unix.AF_INET6, text: netip.AddrFrom16([16]byte(b)).String(), users: users})
	}
	return list
}

// maddrModify adds or deletes an address of the link itself (netdevice(7)).
func maddrModify(s *session, w *words, request uint) {
	var req struct {
		name   [unix.IFNAMSIZ]byte
		family uint16
		addr   [22]byte
	}
	said := false
	for w.more() {
		word := w.peek()
		if word == "dev" {
			if next := w.next(); req.name[0] != 0 {
				duplicate("dev", next)
			}
			if !goodLinkName(w.peek(), unix.IFNAMSIZ-1) {
				invalid("\"dev\" not a valid ifname", w.peek())
			}
			copy(req.name[:], w.peek())
			w.skip()
			continue
		}
		if matches(word, "address") {
			word = w.next()
		}
		if matches(word, "help") {
			usageOf(maddrUsage)
		}
		if said {
			duplicate("address", word)
		}
		b, ok := parseHW(word)
		if !ok {
			exit("Error: \"%s\" is not a legal ll address.", word)
		}
		if len(b) != 6 {
			exit("Error: Invalid address length %d - must be 6 bytes", len(b))
		}
		copy(req.addr[:], b)
		said = true
		w.skip()
	}
	if req.name[0] == 0 {
		die("Not enough information: \"dev\" is required.")
	}
	fd, err := s.space().Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		exit("Cannot create socket: %s", errnoText(err))
	}
	defer unix.Close(fd)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(&req))); errno != 0 {
		exit("ioctl: %s", strerror(errno))
	}
}
