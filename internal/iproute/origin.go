package iproute

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
)

// Where a physical device came from, for "netns delete --return". The kernel does not tell, and a property of the link that
// would (a group, an alias, another name) is seen by everybody. So a move of ours leaves a small file in the run directory,
// under the namespace's cookie and the device's index there. What is found is only believed of the same device; a move by
// somebody else has no file, and a file of a namespace that is gone is never found again.
type origins struct{ dir string }

// An origin is the file about one device.
type origin struct {
	Name    string   `json:"name"`
	Address string   `json:"address"` // the permanent one, else the present one
	From    []uint64 `json:"from"`    // cookies of the namespaces that it was in, the last one last
}

// origins is the folder of those files: no lab has such a name.
func (s *session) origins() origins {
	dir := os.Getenv("WARREN_RUN_DIR")
	if dir == "" {
		dir = "/run/warren"
	}
	return origins{filepath.Join(dir, ".origins")}
}

func (o origins) file(cookie uint64, index int) string {
	return filepath.Join(o.dir, strconv.FormatUint(cookie, 10)+"-"+strconv.Itoa(index))
}

// find is what is known of a device.
func (o origins) find(cookie uint64, l *linkMsg) origin {
	var found origin
	b, err := os.ReadFile(o.file(cookie, l.index))
	if err != nil || json.Unmarshal(b, &found) != nil || found.Address != deviceAddress(l) {
		return origin{}
	}
	return found
}

// keep writes what is known of a device, or takes the file away when that is nothing.
func (o origins) keep(cookie uint64, index int, what origin) error {
	if len(what.From) == 0 {
		o.forget(cookie, index)
		return nil
	}
	b, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	temp := o.file(cookie, index) + ".new"
	if err := os.WriteFile(temp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, o.file(cookie, index))
}

func (o origins) forget(cookie uint64, index int) {
	_ = os.Remove(o.file(cookie, index)) // most often there is none
	_ = os.Remove(o.dir)                 // the last one takes the folder with it
}

func deviceAddress(l *linkMsg) string {
	const permanent = 54 // IFLA_PERM_ADDRESS
	if b := l.a.Bytes(permanent); len(b) > 0 {
		return hex.EncodeToString(b)
	}
	return hex.EncodeToString(l.a.Bytes(unix.IFLA_ADDRESS))
}

// A departure is a physical device that is about to go elsewhere.
type departure struct {
	link linkMsg
	name string // there
	from uint64
	to   *netns.Handle
}

// departure says what is to be noted when a link is moved: nothing of virtual ones, which end with their namespace.
func (r *linkRequest) departure(index uint32) *departure {
	if !r.set || r.moveTo == nil && r.movePID == 0 {
		return nil
	}
	l, ok := r.s.linkByIndex(r.s.kernel(), index)
	if !ok || !r.s.physical(&l) {
		return nil
	}
	d := &departure{link: l, name: r.name, from: r.s.space().Cookie(), to: r.moveTo}
	if d.to == nil {
		h, err := netns.OpenPath("/proc/" + strconv.Itoa(r.movePID) + "/ns/net")
		if err != nil {
			return nil
		}
		r.open, d.to = append(r.open, h), h
	}
	if d.name == "" {
		d.name = l.a.Str(unix.IFLA_IFNAME)
	}
	return d
}

// arrived notes where a device came from. That it cannot be noted is no reason to fail: the device has moved.
func (s *session) arrived(d *departure) {
	if d == nil || d.to.Cookie() == d.from {
		return
	}
	conn, err := d.to.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return
	}
	defer conn.Close()
	index := indexIn(conn, d.name)
	if index == 0 {
		return
	}
	o := s.origins()
	known := o.find(d.from, &d.link)
	o.forget(d.from, d.link.index)
	from := append(known.From, d.from)
	if i := slices.Index(from, d.to.Cookie()); i >= 0 {
		from = from[:i] // it is back
	}
	_ = o.keep(d.to.Cookie(), index, origin{Name: d.name, Address: deviceAddress(&d.link), From: from})
}

func (s *session) linkByIndex(conn *nl.Conn, index uint32) (linkMsg, bool) {
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	native.PutUint32(m.Head()[4:], index)
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		return linkMsg{}, false
	}
	r := conn.Query([]nl.Request{req})[0]
	if r.Err != nil || len(r.Messages) == 0 {
		return linkMsg{}, false
	}
	return readLink(r.Messages[0].Data)
}

// physical reports whether a link outlives its namespace: it has no kind, and is not the loopback.
func (s *session) physical(l *linkMsg) bool {
	kind := l.a.Nested(unix.IFLA_LINKINFO).Str(unix.IFLA_INFO_KIND)
	if s.deps.Outlives != nil {
		return s.deps.Outlives(l.a.Str(unix.IFLA_IFNAME), kind)
	}
	return l.flags&unix.IFF_LOOPBACK == 0 && kind == ""
}

// home is the namespace that a device is to be given back to: the last one that it was in and that is still there, else the one
// that the command runs in, of which known is false.
func (s *session) home(cookie uint64, l *linkMsg) (h *netns.Handle, past []uint64, known bool, err error) {
	from := s.origins().find(cookie, l).From
	for i, cookie := range slices.Backward(from) {
		if h, err := netns.Open(s.ctx, fmt.Sprintf("cookie:%d", cookie)); err == nil {
			return h, from[:i], true, nil
		}
	}
	h, err = netns.Current()
	return h, nil, false, err
}
