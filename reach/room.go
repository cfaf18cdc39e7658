package reach

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// A room is one namespace during a walk: the snapshot's part with indexes, and what this walk's packets left behind.
type room struct {
	*state.Namespace
	byIndex map[int]*state.Link
	byName  map[string]*state.Link
	nf      *filter.Namespace
	fib     *fib
	// learned are neighbours that the walk's own packets taught, as they teach the kernel.
	learned map[neighKey]state.MAC
	// unread are the parts that were asked for and could not be read, or not at one moment.
	unread []state.Unread
	// stations are what the walk's own frames taught bridges: by bridge, MAC and VLAN the port.
	stations map[station]learned
	// missing takes what was left out of the namespace and matters; nil when there is no more to get.
	missing *Missing
}

type neighKey struct {
	dev string
	ip  netip.Addr
}

// A learned is a port behind which a station is; real: a frame that got that far said so.
type learned struct {
	port string
	real bool
}

type station struct {
	bridge string
	mac    state.MAC
	vlan   uint16
}

func newRoom(ns *state.Namespace, explain bool) *room {
	r := &room{
		Namespace: ns,
		byIndex:   make(map[int]*state.Link, len(ns.Links)),
		byName:    make(map[string]*state.Link, len(ns.Links)),
		learned:   map[neighKey]state.MAC{},
		stations:  map[station]learned{},
	}
	for i := range ns.Links {
		l := &ns.Links[i]
		r.byIndex[l.Index], r.byName[l.Name] = l, l
	}
	r.fib = newFIB(r)
	r.nf = filter.New(ns, r.fib)
	r.nf.Explain = explain
	return r
}

// name is how people know the namespace.
func (r *room) name() string {
	if len(r.Names) > 0 {
		return r.Names[0]
	}
	return r.Namespace.Name
}

// reads reports whether a part is known. A snapshot made by hand says nothing about that, and is taken as whole.
func (r *room) reads(p state.Parts) bool { return r.Read == 0 || r.Read.Has(p) }

// sysctl returns a value as a number, 0 where it was not read.
func (r *room) sysctl(key string) int32 {
	v, ok := r.Sysctl(key)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// Indexes of Link.IPv4: IPV4_DEVCONF_* of linux/ip.h, minus one.
const (
	conf4Forwarding      = 0
	conf4ProxyARP        = 2
	conf4SendRedirects   = 5
	conf4RPFilter        = 7
	conf4ARPFilter       = 16
	conf4ARPAnnounce     = 17
	conf4ARPIgnore       = 18
	conf4AcceptLocal     = 22
	conf4SrcVMark        = 23
	conf4ProxyARPPVLAN   = 24
	conf4RouteLocalnet   = 25
	conf4IgnoreLinkdown  = 28
	conf4MediumID        = 13
	conf6AcceptRA        = 3
	conf6ProxyNDP        = 22
	conf6DisableIPv6     = 26
	conf6IgnoreLinkdown  = 39
	conf6ForceForwarding = 59
	conf6Forwarding      = 0
)

// dev4 is the device's own value of an IPv4 setting.
func (r *room) dev4(l *state.Link, index int, name string) int32 {
	if index < len(l.IPv4) {
		return l.IPv4[index]
	}
	return r.sysctl("net/ipv4/conf/" + l.Name + "/" + name)
}

func (r *room) all4(name string) int32 { return r.sysctl("net/ipv4/conf/all/" + name) }

// max4 is the greater one of the values of all and of the device (IN_DEV_MAXCONF).
func (r *room) max4(l *state.Link, index int, name string) int32 {
	return max(r.dev4(l, index, name), r.all4(name))
}

// or4 is true when all or the device says so (IN_DEV_ORCONF).
func (r *room) or4(l *state.Link, index int, name string) bool {
	return r.dev4(l, index, name) != 0 || r.all4(name) != 0
}

// dev6 is the device's own value of an IPv6 setting.
func (r *room) dev6(l *state.Link, index int, name string) int32 {
	if index < len(l.IPv6) {
		return l.IPv6[index]
	}
	return r.sysctl("net/ipv6/conf/" + l.Name + "/" + name)
}

// forwards reports whether packets that came in on the device are forwarded. IPv4 asks the device; IPv6 asks all, and since
// Linux 6.17 the device's force_forwarding.
func (r *room) forwards(l *state.Link, is6 bool) bool {
	if !is6 {
		if len(l.IPv4) > 0 {
			return l.IPv4[conf4Forwarding] != 0
		}
		return r.dev4(l, conf4Forwarding, "forwarding") != 0 || r.sysctl("net/ipv4/ip_forward") != 0
	}
	return r.sysctl("net/ipv6/conf/all/forwarding") != 0 || r.dev6(l, conf6ForceForwarding, "force_forwarding") != 0
}

// ipv6Off reports whether a link has no IPv6.
func (r *room) ipv6Off(l *state.Link) bool {
	return r.dev6(l, conf6DisableIPv6, "disable_ipv6") != 0 || r.tooNarrow6(l)
}

// tooNarrow6 reports whether a link's MTU leaves no room for IPv6 (addrconf_notify).
func (r *room) tooNarrow6(l *state.Link) bool {
	return l.MTU != 0 && l.MTU < 1280 && !isLoopback(l) && !l.Thin
}

// Flags of a link (net/if.h).
const (
	iffUp          = 0x1
	iffLoopback    = 0x8
	iffPointopoint = 0x10
	iffNoARP       = 0x80
)

func isLoopback(l *state.Link) bool {
	return l.Flags&iffLoopback != 0 || l.Name == "lo" && l.Kind == ""
}

func noARP(l *state.Link) bool { return l.Flags&iffNoARP != 0 }

func pointToPoint(l *state.Link) bool { return l.Flags&iffPointopoint != 0 }

// addrsOn lists the addresses of a device for one family.
func (r *room) addrsOn(dev string, is6 bool) []*state.Addr {
	r.need6(is6)
	var out []*state.Addr
	for i := range r.Addrs {
		if a := &r.Addrs[i]; a.Link == dev && a.Prefix.Addr().Is6() == is6 {
			out = append(out, a)
		}
	}
	return out
}

// owns returns the address object, whatever device it is on.
func (r *room) owns(ip netip.Addr) *state.Addr {
	r.need6(ip.Is6())
	for i := range r.Addrs {
		if r.Addrs[i].Prefix.Addr() == ip {
			return &r.Addrs[i]
		}
	}
	return nil
}

// ownsOn returns the address object on that device.
func (r *room) ownsOn(dev string, ip netip.Addr) *state.Addr {
	r.need6(ip.Is6())
	for i := range r.Addrs {
		if r.Addrs[i].Link == dev && r.Addrs[i].Prefix.Addr() == ip {
			return &r.Addrs[i]
		}
	}
	return nil
}

// linkLocal is the first usable link-local address of a device.
func (r *room) linkLocal(dev string) (netip.Addr, bool) {
	for _, a := range r.addrsOn(dev, true) {
		if a.Prefix.Addr().IsLinkLocalUnicast() && a.Flags&(state.AddrTentative|state.AddrDADFailed) == 0 {
			return a.Prefix.Addr(), true
		}
	}
	return netip.Addr{}, false
}

// in writes a command that runs in the namespace.
func (r *room) in(format string, args ...any) string {
	cmd := fmt.Sprintf(format, args...)
	if r.Namespace.Name == state.HostNS {
		return cmd
	}
	return "ip netns exec " + r.ref() + " " + cmd
}

// ip writes a command of ip(8) for the namespace.
func (r *room) ip(format string, args ...any) string {
	if r.Namespace.Name == state.HostNS {
		return "ip " + fmt.Sprintf(format, args...)
	}
	return "ip -n " + r.ref() + " " + fmt.Sprintf(format, args...)
}

// ipOf is ip for a command about a route, of which ip(8) must be told the family where no address says it.
func (r *room) ipOf(u *state.Route, format string, args ...any) string {
	return r.ipFor(u.Dst.Addr().Is6(), format, args...)
}

// ipFor is ip for a command in which no address may say the family.
func (r *room) ipFor(is6 bool, format string, args ...any) string {
	cmd := r.ip(format, args...)
	if is6 {
		return strings.Replace(cmd, "ip ", "ip -6 ", 1)
	}
	return cmd
}

func (r *room) ref() string { return r.name() }
