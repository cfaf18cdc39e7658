package draw_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/draw"
	"warren/state"
)

var update = flag.Bool("update", false, "write the golden files")

// A lab under construction. The hidden namespace is made when the first bridge needs it.
type lab struct {
	name   string
	spaces map[string]*state.DesiredNamespace
}

func newLab(name string) *lab {
	return &lab{name: name, spaces: map[string]*state.DesiredNamespace{}}
}

func (l *lab) space(node string) *state.DesiredNamespace {
	if n := l.spaces[node]; n != nil {
		return n
	}
	n := &state.DesiredNamespace{Name: l.name + "." + node, Mark: state.Mark{Lab: l.name, Node: node}}
	if node == "host" {
		n = &state.DesiredNamespace{Name: "host"}
	}
	n.Links = []state.Link{{Name: "lo", Up: true}}
	l.spaces[node] = n
	return n
}

// bridge adds a net; every member is "node address...".
func (l *lab) bridge(place, net string, members ...string) {
	at := l.space(place)
	name := "wb" + net
	at.Links = append(at.Links, state.Link{Name: name, Kind: "bridge", Up: true, AltNames: []string{"warren." + l.name + "." + net}})
	for _, m := range members {
		node, addrs, _ := strings.Cut(m, " ")
		if node == place {
			l.addrs(node, name, addrs)
			continue
		}
		port := "wp" + net + node
		at.Links = append(at.Links, state.Link{
			Name: port, Kind: "veth", Up: true, Master: name,
			AltNames: []string{"warren." + l.name + "." + net + "." + node},
			Peer:     &state.Peer{NS: l.name + "." + node, Name: net},
		})
		n := l.space(node)
		n.Links = append(n.Links, state.Link{Name: net, Kind: "veth", Up: true, Peer: &state.Peer{NS: at.Name, Name: port}})
		l.addrs(node, net, addrs)
	}
}

func (l *lab) cable(net, a, b string) {
	na, addrsA, _ := strings.Cut(a, " ")
	nb, addrsB, _ := strings.Cut(b, " ")
	x, y := l.space(na), l.space(nb)
	x.Links = append(x.Links, state.Link{Name: net, Kind: "veth", Up: true, Peer: &state.Peer{NS: y.Name, Name: net}})
	y.Links = append(y.Links, state.Link{Name: net, Kind: "veth", Up: true}) // told by one end only
	l.addrs(na, net, addrsA)
	l.addrs(nb, net, addrsB)
}

func (l *lab) addrs(node, link, list string) {
	for a := range strings.FieldsSeq(list) {
		l.space(node).Addrs = append(l.space(node).Addrs, state.Addr{Link: link, Prefix: netip.MustParsePrefix(a)})
	}
}

func (l *lab) router(node string) {
	l.space(node).Sysctls = []state.Sysctl{{Key: "net/ipv4/ip_forward", Value: "1"}}
}

func (l *lab) desired() *state.Desired {
	d := &state.Desired{Lab: l.name}
	for _, n := range l.spaces {
		d.Namespaces = append(d.Namespaces, *n)
	}
	slices.SortFunc(d.Namespaces, func(a, b state.DesiredNamespace) int { return strings.Compare(a.Name, b.Name) })
	return d
}

func classic() *lab {
	l := newLab("classic")
	l.bridge("host", "br0", "host 10.100.0.1/24", "c1 10.100.0.2/24", "c2 10.100.0.3/24")
	return l
}

func twoHosts() *lab {
	l := newLab("two-hosts-router")
	l.cable("lan", "h1 10.0.0.2/24", "r 10.0.0.1/24")
	l.cable("wan", "r 10.0.1.1/24", "h2 10.0.1.2/24")
	l.router("r")
	return l
}

func shop() *lab {
	l := newLab("shop")
	l.bridge("@switch", "dmz", "fw 10.1.0.1/24 fd00:1::1/64", "web 10.1.0.2/24 fd00:1::2/64")
	l.bridge("@switch", "app", "fw 10.2.0.1/24", "api 10.2.0.2/24", "cache 10.2.0.3/24")
	l.bridge("@switch", "inet", "fw 203.0.113.1/24", "user 203.0.113.2/24")
	l.cable("mgmt", "fw 10.0.0.1/24", "web 10.0.0.2/24")
	l.router("fw")
	l.space("fw").Links[4].MTU = 9000
	l.space("web").Links[2].MTU = 9000
	return l
}

func ring() *lab {
	l := newLab("ring-306")
	for i := 1; i <= 6; i++ {
		members := []string{fmt.Sprintf("r%d 10.0.%d.1/24", i, i)}
		for k := 1; k <= 50; k++ {
			members = append(members, fmt.Sprintf("n%dh%d 10.0.%d.%d/24", i, k, i, k+1))
		}
		l.bridge("@switch", fmt.Sprintf("lan%d", i), members...)
		l.router(fmt.Sprintf("r%d", i))
	}
	for i := 1; i <= 6; i++ {
		next := i%6 + 1
		l.cable(fmt.Sprintf("ring%d", i), fmt.Sprintf("r%d 10.9.%d.1/24", i, i), fmt.Sprintf("r%d 10.9.%d.2/24", next, i))
	}
	return l
}

// odd holds what no lab should have and a drawing must survive.
func odd() *lab {
	l := newLab("odd")
	l.bridge("@switch", "empty")
	l.bridge("@switch", "one", "alone 10.0.0.1/24")
	l.bridge("@switch", "wide", "h1 10.3.0.1/24", "h2 10.3.0.2/24", "h3 10.3.0.9/24", "h4 10.3.0.4/24", "h5 10.3.0.5/24", "r 10.3.0.6/24")
	l.space("nothing")
	l.space("island").Links = append(l.space("island").Links, state.Link{Name: "dummy0", Kind: "dummy", Up: true})
	l.addrs("island", "dummy0", "192.0.2.1/32")
	alone := l.space("alone")
	alone.Links = append(alone.Links,
		state.Link{Name: "self0", Kind: "veth", Up: true, Peer: &state.Peer{NS: alone.Name, Name: "self1"}},
		state.Link{Name: "self1", Kind: "veth", Up: true, Peer: &state.Peer{NS: alone.Name, Name: "self0"}})
	l.cable("far", "r 10.5.0.1/24", "alone 10.5.0.2/24")
	sw := l.space("@switch") // "wide" continued on a second bridge
	sw.Links = append(sw.Links,
		state.Link{Name: "wbwide2", Kind: "bridge", Up: true, AltNames: []string{"warren.odd.wide.2"}},
		state.Link{Name: "ca", Kind: "veth", Master: "wbwide", Up: true, Peer: &state.Peer{NS: sw.Name, Name: "cb"}},
		state.Link{Name: "cb", Kind: "veth", Master: "wbwide2", Up: true, Peer: &state.Peer{NS: sw.Name, Name: "ca"}},
		state.Link{Name: "px", Kind: "veth", Master: "wbwide2", Up: true, Peer: &state.Peer{NS: "odd.late", Name: "wide"}})
	late := l.space("late")
	late.Links = append(late.Links, state.Link{Name: "wide", Kind: "veth", Peer: &state.Peer{NS: sw.Name, Name: "px"}})
	return l
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		lab  *lab
		opt  draw.Options
	}{
		{"classic", classic(), draw.Options{Lab: "classic"}},
		{"two-hosts-router", twoHosts(), draw.Options{Lab: "two-hosts-router"}},
		{"shop", shop(), draw.Options{Lab: "shop"}},
		{"ring-306", ring(), draw.Options{Lab: "ring-306"}},
		{"odd", odd(), draw.Options{Lab: "odd"}},
		{"odd-unfolded-ascii", odd(), draw.Options{Fold: -1, ASCII: true}},
		{"shop-color", shop(), draw.Options{Lab: "shop", Color: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := draw.Desired(tt.lab.desired(), tt.opt)
			golden := filepath.Join("testdata", tt.name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestSnapshot: the same lab as observed draws the same picture, whatever else the host has.
func TestSnapshot(t *testing.T) {
	d := classic().desired()
	s := state.Snapshot{Version: state.SnapshotVersion}
	for _, n := range d.Namespaces {
		if n.Name == "host" {
			n.Links = append(n.Links,
				state.Link{Name: "docker0", Kind: "bridge"},
				state.Link{Name: "veth9", Kind: "veth", Master: "docker0", Peer: &state.Peer{NSID: 3, Index: 2}},
				state.Link{Name: "eth0", Up: true})
			n.Addrs = append(n.Addrs, state.Addr{Link: "eth0", Prefix: netip.MustParsePrefix("192.0.2.7/24")})
		}
		n.Addrs = append(n.Addrs, state.Addr{Link: "br0", Prefix: netip.MustParsePrefix("fe80::1/64")})
		s.Namespaces = append(s.Namespaces, state.Namespace{Name: n.Name, Mark: n.Mark, Contents: n.Contents})
	}
	s.Namespaces = append(s.Namespaces, state.Namespace{Name: "foreign"})
	o := draw.Options{Lab: "classic"}
	if diff := cmp.Diff(draw.Desired(d, o), draw.Snapshot(&s, o)); diff != "" {
		t.Errorf("-desired +snapshot:\n%s", diff)
	}
}

// TestOrderDoesNotMatter shuffles namespaces and links.
func TestOrderDoesNotMatter(t *testing.T) {
	for _, l := range []*lab{shop(), ring(), odd()} {
		d := l.desired()
		want := draw.Desired(d, draw.Options{Lab: l.name})
		picture := draw.DesiredAs(d, draw.FormatSVG, draw.Options{Lab: l.name})
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, 0))
			shuffle(r, d.Namespaces)
			for _, n := range d.Namespaces {
				shuffle(r, n.Links)
				shuffle(r, n.Addrs)
			}
			if diff := cmp.Diff(want, draw.Desired(d, draw.Options{Lab: l.name})); diff != "" {
				t.Fatalf("%s, seed %d: -want +got:\n%s", l.name, seed, diff)
			}
			if draw.DesiredAs(d, draw.FormatSVG, draw.Options{Lab: l.name}) != picture {
				t.Fatalf("%s, seed %d: another picture", l.name, seed)
			}
		}
	}
}

func shuffle[T any](r *rand.Rand, s []T) {
	r.Shuffle(len(s), func(i, k int) { s[i], s[k] = s[k], s[i] })
}
