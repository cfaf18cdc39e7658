package topo_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warren/internal/nft"
	"warren/state"
	"warren/topo"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden compares what the examples expand to with text that a network engineer can review.
func TestGolden(t *testing.T) {
	for name, data := range examples(t) {
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			l, err := topo.Parse(name, data)
			if err != nil {
				t.Fatal(err)
			}
			again(t, l)
			x, err := topo.Expand(l, topo.Inputs{})
			if err != nil {
				t.Fatal(err)
			}
			roundTrip(t, x)
			golden := filepath.Join("testdata", strings.TrimSuffix(name, ".yaml")+".golden")
			got := text(t, x)
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
				t.Errorf("expansion of %s (-want +got), -update accepts it:\n%s", name, diff)
			}
		})
	}
}

// roundTrip checks that an expansion survives JSON.
func roundTrip(t *testing.T, x *topo.Expanded) {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	var y topo.Expanded
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	opt := append(slices.Clone(sameLab), cmpopts.IgnoreFields(topo.Expanded{}, "Source"), cmpopts.EquateComparable(netip.AddrPort{}, state.Value{}))
	if diff := cmp.Diff(x, &y, opt); diff != "" {
		t.Errorf("JSON loses something:\n%s", diff)
	}
	again(t, y.Source)
}

// text writes an expansion as the lines that a person would type. Of a large lab it shows routers and one host for each net.
func text(t *testing.T, x *topo.Expanded) string {
	t.Helper()
	var b strings.Builder
	shown := map[string]bool{}
	perNet := map[string]int{}
	for _, n := range x.Nodes {
		show := len(x.Nodes) < 30 || n.Forward
		for _, a := range n.Addrs {
			if perNet[a.Net]++; perNet[a.Net] <= 2 {
				show = true
			}
		}
		shown[n.NS] = show
	}
	fmt.Fprintf(&b, "lab %s: %d nodes, %d namespaces\n", x.Lab, len(x.Nodes), len(x.Desired.Namespaces))
	for _, n := range x.Nets {
		fmt.Fprintf(&b, "net %s: %s %v, %d members\n", n.Name, n.Kind, n.Prefixes, len(n.Members))
	}
	for i := range x.Desired.Namespaces {
		ns := &x.Desired.Namespaces[i]
		if show, isNode := shown[ns.Name]; isNode && !show {
			continue
		}
		space(&b, ns, len(x.Nodes) < 30)
	}
	if len(x.Nodes) < 30 {
		b.WriteString("\n# names\n")
		for _, h := range x.Hosts {
			fmt.Fprintf(&b, "%s %s%s\n", h.Addr, strings.Join(h.Names, " "), firstText(h.Node != "", " in "+h.Node))
		}
	}
	b.WriteString("\n# services, published ports, probes\n")
	for _, s := range x.Services {
		fmt.Fprintf(&b, "%s in %s: %q after %v ready %v env %v\n", s.Key, s.NS, s.Argv, s.After, s.Ready, s.Env)
	}
	for _, p := range x.Publishes {
		fmt.Fprintf(&b, "%s %s -> %s %s%s\n", p.Proto, p.Host, p.Node, p.To, firstText(p.Proxy, " by proxy"))
	}
	for _, c := range x.Checks {
		probes, err := x.Probes(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range probes {
			fmt.Fprintf(&b, "%s: %s can=%v %s %s %s\n", c.Text, p.NS, c.Can, p.Verb, p.Addr, p.URL)
		}
	}
	return b.String()
}

func firstText(cond bool, s string) string {
	if cond {
		return s
	}
	return ""
}

func space(b *strings.Builder, ns *state.DesiredNamespace, whole bool) {
	fmt.Fprintf(b, "\n# %s%s\n", ns.Name, firstText(!ns.Owned(), " (not the lab's)"))
	for i, l := range ns.Links {
		if !whole && i > 6 && l.Kind == "veth" {
			fmt.Fprintf(b, "... %d links\n", len(ns.Links))
			break
		}
		fmt.Fprintf(b, "ip link %s", l.Name)
		word := func(cond bool, format string, args ...any) {
			if cond {
				fmt.Fprintf(b, " "+format, args...)
			}
		}
		word(l.Up, "up")
		word(l.MTU != 0, "mtu %d", l.MTU)
		word(!l.MAC.IsZero(), "address %s", l.MAC)
		word(l.Group != 0, "group %#x", l.Group)
		word(l.NoAddrGen, "no addrgen")
		word(l.Master != "", "master %s", l.Master)
		word(len(l.AltNames) > 0, "altname %s", strings.Join(l.AltNames, " "))
		word(l.Kind != "", "type %s", l.Kind)
		word(l.Peer != nil, "peer %v", l.Peer)
		word(l.Bridge != nil && *orFalse(l.Bridge), "stp on")
		word(l.Port != nil && l.Port.Isolated != nil && *l.Port.Isolated, "isolated on")
		b.WriteByte('\n')
	}
	for _, a := range ns.Addrs {
		fmt.Fprintf(b, "ip addr %s dev %s%s%s\n", a.Prefix, a.Link, firstText(a.Flags&state.AddrNoDAD != 0, " nodad"), firstText(a.Scope == 253, " scope link"))
	}
	for _, r := range ns.Routes {
		fmt.Fprintf(b, "ip route %s%s", firstText(r.Type != "", r.Type+" "), r.Dst)
		for _, h := range r.NextHops {
			fmt.Fprintf(b, "%s dev %s", firstText(h.Via.IsValid(), " via "+h.Via.String()), h.Link)
		}
		fmt.Fprintf(b, "%s%s\n", firstText(r.Metric != 0, fmt.Sprint(" metric ", r.Metric)), firstText(r.Table != 0, fmt.Sprint(" table ", r.Table)))
	}
	for _, s := range ns.Sysctls {
		fmt.Fprintf(b, "sysctl %s=%s\n", s.Dotted(), s.Value)
	}
	for _, table := range ns.Tables {
		b.WriteString(nft.Text(table))
	}
}

func orFalse(br *state.Bridge) *bool {
	if br.STP == nil {
		return new(bool)
	}
	return br.STP
}
