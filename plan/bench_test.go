package plan_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"warren/internal/kerneltest/fake"
	"warren/plan"
	"warren/state"
)

// star is n nodes on a bridge of the host, with an address, a default route and no IPv6.
func star(n int) state.Desired {
	host := state.DesiredNamespace{Name: state.HostNS}
	br := state.Link{Name: "wb0", Kind: "bridge", Up: true, Group: state.LinkGroup, AltNames: []string{"warren.star.lan"}}
	gateway := netip.MustParseAddr("10.0.0.1")
	host.Addrs = []state.Addr{{Link: "wb0", Prefix: netip.PrefixFrom(gateway, 16), Protocol: state.Protocol}}
	host.Links = []state.Link{br}
	d := state.Desired{Lab: "star"}
	for i := range n {
		name := fmt.Sprintf("star.n%04d", i)
		port := fmt.Sprintf("wv%08x", i)
		host.Links = append(host.Links, state.Link{
			Name: port, Kind: "veth", Up: true, Master: "wb0", Group: state.LinkGroup,
			AltNames: []string{fmt.Sprintf("warren.star.lan.n%04d", i)}, Peer: &state.Peer{NS: name, Name: "lan"},
		})
		host.Sysctls = append(host.Sysctls, state.Sysctl{Key: "net/ipv6/conf/" + port + "/disable_ipv6", Value: "1"})
		a := netip.AddrFrom4([4]byte{10, 0, byte(1 + i/250), byte(1 + i%250)})
		d.Namespaces = append(d.Namespaces, state.DesiredNamespace{
			Name: name, Mark: state.Mark{Lab: "star", Node: fmt.Sprintf("n%04d", i)},
			Contents: state.Contents{
				Links: []state.Link{{Name: "lan", Kind: "veth", Up: true, Peer: &state.Peer{NS: state.HostNS, Name: port}}, {Name: "lo", Up: true}},
				Addrs: []state.Addr{{Link: "lan", Prefix: netip.PrefixFrom(a, 16), Protocol: state.Protocol}},
				Routes: []state.Route{{
					Dst: netip.MustParsePrefix("0.0.0.0/0"), Protocol: state.Protocol,
					NextHops: []state.NextHop{{Via: gateway, Link: "lan"}},
				}},
				Sysctls: []state.Sysctl{{Key: "net/ipv4/ip_forward", Value: "0"}, {Key: "net/ipv6/conf/default/disable_ipv6", Value: "1"}},
			},
		})
	}
	d.Namespaces = append(d.Namespaces, host)
	d.Sort()
	return d
}

func observe(tb testing.TB, k *fake.Kernel, want state.Desired) state.Snapshot {
	tb.Helper()
	s, err := k.Observe(context.Background(), plan.Query(want, plan.Options{}))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func mustDiff(tb testing.TB, want state.Desired, have state.Snapshot) plan.Plan {
	tb.Helper()
	p, err := plan.Diff(want, have, plan.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func mustApply(tb testing.TB, k *fake.Kernel, steps []plan.Step) {
	tb.Helper()
	if r := k.Apply(context.Background(), steps, plan.Hooks{}); r.Err != nil {
		tb.Fatal(r.Err)
	}
}

func BenchmarkFirst(b *testing.B) {
	want := star(1000)
	have := observe(b, fake.New(), want)
	b.ReportAllocs()
	for b.Loop() {
		mustDiff(b, want, have)
	}
}

func BenchmarkNoChange(b *testing.B) {
	want := star(1000)
	k := fake.New()
	mustApply(b, k, mustDiff(b, want, observe(b, k, want)).Steps)
	have := observe(b, k, want)
	b.ReportAllocs()
	for b.Loop() {
		if p := mustDiff(b, want, have); !p.Empty() {
			b.Fatal(p.Text())
		}
	}
}

func BenchmarkDestroy(b *testing.B) {
	want := star(1000)
	k := fake.New()
	mustApply(b, k, mustDiff(b, want, observe(b, k, want)).Steps)
	have := observe(b, k, want)
	b.ReportAllocs()
	for b.Loop() {
		plan.Destroy("star", have)
	}
}

func BenchmarkInverse(b *testing.B) {
	want := star(1000)
	p := mustDiff(b, want, observe(b, fake.New(), want))
	b.ReportAllocs()
	for b.Loop() {
		p.Inverse()
	}
}
