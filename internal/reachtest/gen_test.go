package reachtest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A plan of a random world: what is built, in phases, and what is asked. It prints as the commands that a person would
// type, so that a disagreement can be rebuilt by hand.
type world struct {
	rng    *rand.Rand
	prefix string // of the namespaces' names
	rooms  []string
	cables []string            // ip batch
	ip     map[string][]string // per room, ip batch
	bridge map[string][]string // per room, bridge batch
	sys    map[string][]string // per room, KEY=VALUE
	nft    map[string][]string // per room, nft script
	xt     map[string][]string // per room, arguments of iptables-legacy
	devs   []place
	addrs  []place // with addr
	nets   []string
	gws    []place // routers' addresses
	serve  []string
	ports  []string // "room bridge port"
	shots  []shot
	noted  []string // deltas, in words
}

// A place is a device in a room, maybe with an address.
type place struct{ room, dev, addr string }

func newWorld(seed uint64, prefix string) *world {
	w := &world{
		rng: rand.New(rand.NewPCG(seed, 6)), prefix: prefix,
		ip: map[string][]string{}, bridge: map[string][]string{}, sys: map[string][]string{}, nft: map[string][]string{}, xt: map[string][]string{},
	}
	w.base()
	for range w.rng.IntN(4) {
		w.delta()
	}
	w.listeners()
	w.questions()
	return w
}

func (w *world) room(names ...string) {
	for _, n := range names {
		w.rooms = append(w.rooms, n)
		w.ipDo(n, "link set lo up")
	}
}

func (w *world) ipDo(room, format string, args ...any) {
	w.ip[room] = append(w.ip[room], fmt.Sprintf(format, args...))
}

func (w *world) set(room, format string, args ...any) {
	w.sys[room] = append(w.sys[room], fmt.Sprintf(format, args...))
}

func (w *world) note(format string, args ...any) {
	w.noted = append(w.noted, fmt.Sprintf(format, args...))
}

func (w *world) cable(a, da, b, db string) {
	w.cables = append(w.cables, fmt.Sprintf("link add %s netns %s%s type veth peer name %s netns %s%s", da, w.prefix, a, db, w.prefix, b))
	w.ipDo(a, "link set %s up", da)
	w.ipDo(b, "link set %s up", db)
	w.devs = append(w.devs, place{room: a, dev: da}, place{room: b, dev: db})
}

func (w *world) addr(room, dev string, addrs ...string) {
	for _, a := range addrs {
		nodad := ""
		if strings.Contains(a, ":") {
			nodad = " nodad"
		}
		w.ipDo(room, "addr add %s dev %s%s", a, dev, nodad)
		w.addrs = append(w.addrs, place{room, dev, a[:strings.Index(a, "/")]})
	}
}

func (w *world) router(room string) {
	w.set(room, "net/ipv4/ip_forward=1")
	w.set(room, "net/ipv6/conf/all/forwarding=1")
}

func pick[T any](w *world, list []T) T { return list[w.rng.IntN(len(list))] }

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func (w *world) base() {
	bases := []struct {
		name string
		make func()
	}{
		{"P2", w.p2},
		{"R3", w.r3},
		{"chain", w.chain},
		{"B2", w.b2},
		{"segment", w.segment},
		{"V2", w.v2},
		{"M2", w.m2},
		{"diamond", w.diamond},
		{"overlay", w.overlay},
	}
	b := pick(w, bases)
	w.note("base %s", b.name)
	b.make()
}

func (w *world) p2() {
	w.room("a", "b")
	w.cable("a", "va", "b", "vb")
	w.addr("a", "va", "10.0.0.1/24", "fd00::1/64")
	w.addr("b", "vb", "10.0.0.2/24", "fd00::2/64")
	w.nets = []string{"10.0.0.0/24", "fd00::/64"}
	w.gws = []place{{"b", "vb", "10.0.0.2"}}
}

// via adds default routes of both families by a router's addresses.
func (w *world) via(room, v4, v6 string) {
	w.ipDo(room, "route add default via %s", v4)
	w.ipDo(room, "route add default via %s", v6)
}

func (w *world) r3() {
	w.room("a", "r", "b")
	w.cable("a", "va", "r", "r1")
	w.cable("r", "r2", "b", "vb")
	w.addr("a", "va", "10.0.1.2/24", "fd00:1::2/64")
	w.addr("r", "r1", "10.0.1.1/24", "fd00:1::1/64")
	w.addr("r", "r2", "10.0.2.1/24", "fd00:2::1/64")
	w.addr("b", "vb", "10.0.2.2/24", "fd00:2::2/64")
	w.via("a", "10.0.1.1", "fd00:1::1")
	w.via("b", "10.0.2.1", "fd00:2::1")
	w.router("r")
	w.nets = []string{"10.0.1.0/24", "10.0.2.0/24", "fd00:1::/64", "fd00:2::/64"}
	w.gws = []place{{"r", "r1", "10.0.1.1"}, {"r", "r2", "10.0.2.1"}}
}

func (w *world) chain() {
	w.room("a", "q", "r", "b")
	w.cable("a", "va", "q", "q1")
	w.cable("q", "q2", "r", "r1")
	w.cable("r", "r2", "b", "vb")
	w.addr("a", "va", "10.0.1.2/24", "fd00:1::2/64")
	w.addr("q", "q1", "10.0.1.1/24", "fd00:1::1/64")
	w.addr("q", "q2", "10.0.3.1/24", "fd00:3::1/64")
	w.addr("r", "r1", "10.0.3.2/24", "fd00:3::2/64")
	w.addr("r", "r2", "10.0.2.1/24", "fd00:2::1/64")
	w.addr("b", "vb", "10.0.2.2/24", "fd00:2::2/64")
	w.via("a", "10.0.1.1", "fd00:1::1")
	w.via("b", "10.0.2.1", "fd00:2::1")
	w.via("q", "10.0.3.2", "fd00:3::2")
	w.via("r", "10.0.3.1", "fd00:3::1")
	w.router("q")
	w.router("r")
	w.nets = []string{"10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24", "fd00:1::/64", "fd00:2::/64"}
	w.gws = []place{{"q", "q1", "10.0.1.1"}, {"r", "r2", "10.0.2.1"}, {"r", "r1", "10.0.3.2"}}
}

func (w *world) bridgeIn(room, br string) {
	w.ipDo(room, "link add %s type bridge", br)
	w.ipDo(room, "link set %s up", br)
	w.devs = append(w.devs, place{room: room, dev: br})
}

func (w *world) port(room, br, port, peer, dev string) {
	w.cable(room, port, peer, dev)
	w.ipDo(room, "link set %s master %s", port, br)
	w.ports = append(w.ports, room+" "+br+" "+port)
}

func (w *world) b2() {
	w.room("s", "a", "b", "c")
	w.bridgeIn("s", "br0")
	w.port("s", "br0", "pa", "a", "va")
	w.port("s", "br0", "pb", "b", "vb")
	w.port("s", "br0", "pc", "c", "vc")
	w.addr("s", "br0", "10.0.0.254/24", "fd00::fe/64")
	w.addr("a", "va", "10.0.0.1/24", "fd00::1/64")
	w.addr("b", "vb", "10.0.0.2/24", "fd00::2/64")
	w.addr("c", "vc", "10.0.0.3/24", "fd00::3/64")
	w.nets = []string{"10.0.0.0/24", "fd00::/64"}
	w.gws = []place{{"s", "br0", "10.0.0.254"}, {"b", "vb", "10.0.0.2"}}
}

// segment is a bridge whose namespace routes to a net behind it, as container hosts do.
func (w *world) segment() {
	w.b2()
	w.room("b2")
	w.cable("s", "ul", "b2", "eth0")
	w.addr("s", "ul", "10.0.9.1/24", "fd00:9::1/64")
	w.addr("b2", "eth0", "10.0.9.2/24", "fd00:9::2/64")
	for _, n := range []string{"a", "b", "c"} {
		w.via(n, "10.0.0.254", "fd00::fe")
	}
	w.via("b2", "10.0.9.1", "fd00:9::1")
	w.router("s")
	w.nets = append(w.nets, "10.0.9.0/24", "fd00:9::/64")
}

func (w *world) v2() {
	w.p2()
	w.vxlans("a", "b", "10.0.0.1", "10.0.0.2")
}

func (w *world) vxlans(a, b, la, lb string) {
	ida, idb, pa, pb := 42, 42, 4789, 4789
	if w.chance(10) {
		idb = 43
		w.note("vni")
	}
	if w.chance(10) {
		pb = 4790
		w.note("vxlan port")
	}
	w.ipDo(a, "link add vx0 type vxlan id %d dstport %d remote %s local %s", ida, pa, lb, la)
	w.ipDo(b, "link add vx0 type vxlan id %d dstport %d remote %s local %s", idb, pb, la, lb)
	w.ipDo(a, "link set vx0 up")
	w.ipDo(b, "link set vx0 up")
	w.addr(a, "vx0", "192.168.9.1/24", "fd00:99::1/64")
	w.addr(b, "vx0", "192.168.9.2/24", "fd00:99::2/64")
	w.devs = append(w.devs, place{room: a, dev: "vx0"}, place{room: b, dev: "vx0"})
}

func (w *world) overlay() {
	w.r3()
	w.vxlans("a", "b", "10.0.1.2", "10.0.2.2")
}

func (w *world) m2() {
	w.p2()
	w.room("c", "d")
	modes := []string{"bridge", "bridge", "private", "vepa", "source"}
	for i, n := range []string{"c", "d"} {
		w.ipDo("a", "link add m%s link va netns %s%s type macvlan mode %s", n, w.prefix, n, pick(w, modes))
		w.ipDo(n, "link set m%s up", n)
		w.addr(n, "m"+n, fmt.Sprintf("10.0.0.%d/24", 3+i), fmt.Sprintf("fd00::%d/64", 3+i))
		w.devs = append(w.devs, place{room: n, dev: "m" + n})
	}
}

// diamond has two ways from a to b, which need not be the same there and back.
func (w *world) diamond() {
	w.r3()
	w.room("q")
	w.cable("a", "wa", "q", "q1")
	w.cable("q", "q2", "b", "wb")
	w.addr("a", "wa", "10.0.3.2/24")
	w.addr("q", "q1", "10.0.3.1/24")
	w.addr("q", "q2", "10.0.4.1/24")
	w.addr("b", "wb", "10.0.4.2/24")
	w.router("q")
	w.ipDo("q", "route add 10.0.2.0/24 via 10.0.4.2")
	w.ipDo("q", "route add 10.0.1.0/24 via 10.0.3.2")
	w.ipDo("r", "route add 10.0.4.0/24 via 10.0.2.2")
	w.ipDo("r", "route add 10.0.3.0/24 via 10.0.1.2")
	if w.chance(50) {
		w.ipDo("a", "route add 10.0.2.0/24 via 10.0.3.1")
		w.note("a -> 10.0.2.0/24 by q")
	}
	if w.chance(50) {
		w.ipDo("b", "route add 10.0.1.0/24 via 10.0.4.1")
		w.note("b -> 10.0.1.0/24 by q")
	}
	w.nets = append(w.nets, "10.0.3.0/24", "10.0.4.0/24")
	w.gws = append(w.gws, place{"q", "q1", "10.0.3.1"}, place{"q", "q2", "10.0.4.1"})
}

func (w *world) listeners() {
	for _, r := range w.rooms {
		if !w.chance(60) {
			continue
		}
		local := "0.0.0.0"
		switch w.rng.IntN(6) {
		case 0:
			local = "127.0.0.1"
		case 1, 2:
			local = "[::]"
		}
		tail := ""
		if local == "[::]" && w.chance(30) {
			tail = " v6only"
		}
		proto := pick(w, []string{"tcp", "udp"})
		w.serve = append(w.serve, fmt.Sprintf("%s %s %s:80%s", r, proto, local, tail))
	}
}

func (w *world) questions() {
	for range 4 {
		src := pick(w, w.rooms)
		dst := pick(w, w.addrs)
		s := shot{src: src, dst: mustAddr(dst.addr), proto: pick(w, []string{"icmp", "icmp", "tcp", "udp"})}
		if s.proto != "icmp" {
			s.port = 80
		} else if w.chance(35) {
			s.size = pick(w, []int{1280, 1301, 1304, 1305, 1400, 1450, 1500})
		}
		if !slices.Contains(w.shots, s) {
			w.shots = append(w.shots, s)
		}
	}
}

// String is the world as commands.
func (w *world) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", strings.Join(w.noted, "; "))
	for _, r := range w.rooms {
		fmt.Fprintf(&b, "ip netns add %s\n", r)
	}
	for _, c := range w.cables {
		fmt.Fprintf(&b, "ip %s\n", strings.ReplaceAll(c, "netns "+w.prefix, "netns "))
	}
	for _, r := range w.rooms {
		for _, l := range w.ip[r] {
			fmt.Fprintf(&b, "ip -n %s %s\n", r, strings.ReplaceAll(l, "netns "+w.prefix, "netns "))
		}
		for _, l := range w.bridge[r] {
			fmt.Fprintf(&b, "bridge -n %s %s\n", r, l)
		}
		for _, l := range w.sys[r] {
			fmt.Fprintf(&b, "sysctl in %s: %s\n", r, l)
		}
		for _, l := range w.nft[r] {
			fmt.Fprintf(&b, "nft in %s: %s\n", r, l)
		}
		for _, l := range w.xt[r] {
			fmt.Fprintf(&b, "iptables in %s: %s\n", r, l)
		}
	}
	for _, s := range w.serve {
		fmt.Fprintf(&b, "serve %s\n", s)
	}
	return b.String()
}
