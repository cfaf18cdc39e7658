package iproute

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// A tunLink is a tun or tap link as the namespace's sysfs tells it; netlink knows neither one_queue nor more recent flags.
type tunLink struct {
	name         string
	flags        uint64
	owner, group string // "-1" = none
}

// iffNoFilter has the number of IFF_NO_PI, which makes "filter" and "pi" one thing.
const iffNoFilter = 0x1000

// tuntapShow lists all of them; words that follow are not looked at.
func tuntapShow(s *session, w *words) {
	for w.more() {
		w.skip()
	}
	p := s.out()
	for _, l := range s.tunLinks() {
		p.openObject("")
		p.str("ifname", "%s:", l.name)
		p.openArray("flags", "")
		for _, f := range []struct {
			on   bool
			bit  uint64
			name string
		}{
			{true, unix.IFF_TUN, "tun"},
			{true, unix.IFF_TAP, "tap"},
			{false, unix.IFF_NO_PI, "pi"},
			{true, unix.IFF_ONE_QUEUE, "one_queue"},
			{true, unix.IFF_MULTI_QUEUE, "multi_queue"},
			{true, unix.IFF_VNET_HDR, "vnet_hdr"},
			{true, unix.IFF_PERSIST, "persist"},
			{false, iffNoFilter, "filter"},
		} {
			if (l.flags&f.bit != 0) == f.on {
				if p.isJSON() {
					p.item("", f.name)
				} else {
					p.text(" %s", f.name)
				}
			}
		}
		const known = unix.IFF_TUN | unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_ONE_QUEUE | unix.IFF_VNET_HDR | unix.IFF_MULTI_QUEUE | unix.IFF_PERSIST
		if rest := l.flags &^ known; rest != 0 {
			if p.isJSON() {
				p.item("", fmt.Sprintf("0x%x", rest))
			} else {
				p.text(" UNKNOWN_FLAGS:%x", rest)
			}
		}
		p.closeArray("")
		userID(p, "user", l.owner)
		userID(p, "group", l.group)
		p.text("\n")
		if s.opt.details {
			s.tunProcesses(p, l.name)
		}
		p.closeObject()
	}
}

// tunProcesses lists who has the link open. Of several, iproute2's JSON cannot be read: here each is an object.
func (s *session) tunProcesses(p *printer, name string) {
	p.openArray("processes", "\tAttached to processes:")
	for _, pid := range tunHolders(name) {
		comm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if err != nil {
			comm = []byte("<NULL>")
		}
		p.openObject("")
		p.str("name", "%s", strings.TrimSpace(string(comm)))
		num(p, "pid", "(%d)", pid)
		p.closeObject()
	}
	p.closeArray("\n")
}

// tunLinks finds the links of kind tun, and reads what sysfs says of them.
func (s *session) tunLinks() []tunLink {
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	at := m.Begin(unix.IFLA_LINKINFO)
	m.Bytes(unix.IFLA_INFO_KIND, []byte("tun"))
	m.End(at)
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		die("%v", err)
	}
	var list []tunLink
	for _, msg := range s.dump(nl.Request{Type: req.Type, Data: req.Data}) {
		if len(msg.Data) < rtnl.IfinfoLen {
			continue
		}
		a := rtnl.ParseAttrs(msg.Data[rtnl.IfinfoLen:])
		if a.Nested(unix.IFLA_LINKINFO).Str(unix.IFLA_INFO_KIND) != "tun" {
			continue
		}
		list = append(list, tunLink{name: a.Str(unix.IFLA_IFNAME), owner: "-1", group: "-1"})
		tunAttributes(&list[len(list)-1], a.Nested(unix.IFLA_LINKINFO).Nested(unix.IFLA_INFO_DATA))
	}
	if len(list) > 0 {
		s.readTunSysfs(list)
	}
	return list
}

// Attributes of a tun link (linux/if_link.h, Linux 4.18).
const (
	iflaTunOwner = 1 + iota
	iflaTunGroup
	iflaTunType
	iflaTunPI
	iflaTunVnetHdr
	iflaTunPersist
	iflaTunMultiQueue
)

// tunAttributes is what netlink tells.
func tunAttributes(l *tunLink, a rtnl.Attrs) {
	l.flags = uint64(a.U8(iflaTunType)) | unix.IFF_NO_PI
	if a.U8(iflaTunPI) != 0 {
		l.flags &^= unix.IFF_NO_PI
	}
	for _, f := range []struct {
		typ int
		bit uint64
	}{{iflaTunVnetHdr, unix.IFF_VNET_HDR}, {iflaTunPersist, unix.IFF_PERSIST}, {iflaTunMultiQueue, unix.IFF_MULTI_QUEUE}} {
		if a.U8(f.typ) != 0 {
			l.flags |= f.bit
		}
	}
	if a.Has(iflaTunOwner) {
		l.owner = strconv.FormatInt(int64(a.S32(iflaTunOwner)), 10)
	}
	if a.Has(iflaTunGroup) {
		l.group = strconv.FormatInt(int64(a.S32(iflaTunGroup)), 10)
	}
}

// readTunSysfs adds what only sysfs tells. /sys shows the devices of the namespace that it was mounted in, so a mount is made
// that nobody else sees (fsopen(2), Linux 5.2). Where that is refused, what netlink told has to do.
func (s *session) readTunSysfs(list []tunLink) {
	_ = s.space().Do(func() error {
		fs, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(fs)
		if err := unix.FsconfigCreate(fs); err != nil {
			return err
		}
		root, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(root)
		for i := range list {
			text, err := readAt(root, "class/net/"+list[i].name+"/tun_flags")
			if err != nil {
				continue // gone meanwhile
			}
			if flags, err := strconv.ParseUint(strings.TrimSpace(text), 0, 64); err == nil {
				list[i].flags = flags
			}
		}
		return nil
	})
}

func readAt(dir int, path string) (string, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}
