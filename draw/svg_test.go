package draw_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/draw"
	"warren/state"
)

// docker is a host as a container engine makes it: bridges in the host, containers on them, one on two of them.
func docker() *lab {
	l := newLab("docker")
	l.bridge("host", "docker0", "host 172.17.0.1/16", "registry 172.17.0.2/16", "builder 172.17.0.3/16")
	l.bridge("host", "br-8f2c", "host 172.18.0.1/16", "web 172.18.0.2/16 fd18::2/64", "app1 172.18.0.3/16", "app2 172.18.0.4/16", "db 172.18.0.5/16")
	l.bridge("host", "br-mon", "host 172.19.0.1/16", "grafana 172.19.0.2/16", "prometheus 172.19.0.3/16", "web 172.19.0.9/16")
	l.bridge("host", "virbr0", "host 192.168.122.1/24")
	l.router("host")
	return l
}

// star is n rooms on one bridge, with numbers that do not follow each other.
func star(n int) *lab {
	l := newLab(fmt.Sprintf("star-%d", n))
	members := []string{"host 10.0.0.1/24"}
	for i := range n {
		members = append(members, fmt.Sprintf("n%d 10.0.0.%d/24", i*3, i+2))
	}
	l.bridge("host", "br0", members...)
	return l
}

// hub is n rooms with a cable each to one in the middle.
func hub(n int) *lab {
	l := newLab(fmt.Sprintf("hub-%d", n))
	for i := range n {
		l.cable(fmt.Sprintf("c%d", i), fmt.Sprintf("hub 10.0.%d.1/30", i), fmt.Sprintf("s%d 10.0.%d.2/30", i, i))
	}
	return l
}

// downs has something of everything that is down.
func downs() *lab {
	l := shop()
	fw := l.space("fw")
	fw.Links[len(fw.Links)-1].Up = false
	for i, k := range l.space("@switch").Links {
		if k.Name == "wbapp" {
			l.space("@switch").Links[i].Up = false
		}
	}
	l.name = "downs"
	return l
}

// randomLab makes n rooms and nets between them, some of them routers, some alone.
func randomLab(seed uint64, n int) *lab {
	r := rand.New(rand.NewPCG(seed, 1))
	l := newLab(fmt.Sprintf("random-%d-%d", n, seed))
	addr := func(net int) string {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(net), byte(r.IntN(4)), byte(1 + r.IntN(250))}), 16).String()
	}
	name := func(i int) string { return fmt.Sprintf("room%d", i) }
	for i := range n {
		l.space(name(i))
		if r.IntN(6) == 0 {
			l.router(name(i))
		}
	}
	for k := range 1 + r.IntN(max(1, n/2)) {
		if r.IntN(3) == 0 {
			if a, b := r.IntN(n), r.IntN(n); a != b {
				l.cable(fmt.Sprintf("c%d", k), name(a)+" "+addr(k), name(b)+" "+addr(k))
			}
			continue
		}
		place := "@switch"
		if r.IntN(5) == 0 {
			place = "host"
		}
		var members []string
		for _, i := range r.Perm(n)[:r.IntN(min(n, 12)+1)] {
			members = append(members, name(i)+" "+addr(k))
		}
		l.bridge(place, fmt.Sprintf("net%d", k), members...)
	}
	return l
}

// TestGoldenFormats: each picture was looked at by a person before it was kept.
func TestGoldenFormats(t *testing.T) {
	for _, tt := range []struct {
		lab *lab
		opt draw.Options
	}{
		{classic(), draw.Options{Lab: "classic"}},
		{shop(), draw.Options{Lab: "shop"}},
		{ring(), draw.Options{Lab: "ring-306"}},
		{docker(), draw.Options{Lab: "docker"}},
		{odd(), draw.Options{Lab: "odd", Fold: -1}},
		{downs(), draw.Options{}},
		{newLab("empty"), draw.Options{}},
	} {
		for format, ext := range map[draw.Format]string{draw.FormatSVG: "svg", draw.FormatDOT: "dot", draw.FormatMermaid: "mmd", draw.FormatJSON: "json"} {
			t.Run(tt.lab.name+"-"+ext, func(t *testing.T) {
				got := draw.DesiredAs(tt.lab.desired(), format, tt.opt)
				golden := filepath.Join("testdata", tt.lab.name+"."+ext)
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
}

// TestAround: a namespace, what it is plugged into, and nothing behind that.
func TestAround(t *testing.T) {
	got := draw.DesiredAs(shop().desired(), draw.FormatText, draw.Options{Only: []string{"shop.api"}})
	want := `●  app           bridge, 10.2.0.0/24
├─ [shop.api]    10.2.0.2/24
├─ [shop.cache]  10.2.0.3/24
└─ [shop.fw]     10.2.0.1/24, forwards
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestUnnamed: what has no name is called after what it is.
func TestUnnamed(t *testing.T) {
	s := &state.Snapshot{Namespaces: []state.Namespace{
		{Name: "cookie:1", Owner: &state.Owner{Kind: "docker", Name: "web", ID: "4f2a6e00c0ffee"}},
		{Name: "cookie:2", Owner: &state.Owner{Kind: "podman", ID: "0123456789abcdef0123"}},
		{Name: "cookie:3", Processes: []state.Process{{PID: 71, Command: "/usr/sbin/named -f"}}},
		{Name: "cookie:4", Owner: &state.Owner{Kind: "hidden"}},
		{Name: "cni-17", Owner: &state.Owner{Kind: "kubernetes", Name: "default/api"}},
	}}
	got := draw.Snapshot(s, draw.Options{})
	want := `[0123456789ab]  podman
[cni-17]        kubernetes default/api
[cookie:4]      hidden
[pid 71]        named
[web]           docker
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
