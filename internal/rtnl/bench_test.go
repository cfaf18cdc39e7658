package rtnl_test

import (
	"testing"

	"warren/internal/rtnl"
	"warren/state"
)

func benchLink() state.Link {
	return state.Link{
		Name: "w0123456789ab", Kind: "veth", Index: 5, Up: true, Flags: 0x11043, OperState: "UP", MTU: 1500, MAC: state.MAC{2, 0, 0, 0, 0, 1},
		TxQueueLen: 1000, Master: "br0", AltNames: []string{"warren.lab.net.node"}, Peer: &state.Peer{Index: 9, NSID: 3},
		Port: &state.BridgePort{State: new(uint8(3)), Learning: new(true), Isolated: new(false)},
		IPv4: make([]int32, 33), IPv6: make([]int32, 60), Stats: &state.Stats{},
	}
}

func BenchmarkEncodeLink(b *testing.B) { benchEncode(b, benchLink(), linkCodec()) }
func BenchmarkDecodeLink(b *testing.B) { benchDecode(b, benchLink(), linkCodec()) }

func benchAddr() state.Addr {
	return state.Addr{Link: "eth0", Prefix: prefixOf("10.200.0.2/16"), Label: "eth0", Flags: state.AddrPermanent, Protocol: state.Protocol}
}

func BenchmarkEncodeAddr(b *testing.B) { benchEncode(b, benchAddr(), addrCodec()) }
func BenchmarkDecodeAddr(b *testing.B) { benchDecode(b, benchAddr(), addrCodec()) }

func benchRoute() state.Route {
	return state.Route{Dst: prefixOf("0.0.0.0/0"), Protocol: state.Protocol, NextHops: []state.NextHop{{Via: addr("10.200.0.1"), Link: "eth0"}}}
}

func BenchmarkEncodeRoute(b *testing.B) { benchEncode(b, benchRoute(), routeCodec()) }
func BenchmarkDecodeRoute(b *testing.B) { benchDecode(b, benchRoute(), routeCodec()) }

func BenchmarkCreateCable(b *testing.B) {
	names := table()
	x := rtnl.End{Link: state.Link{Name: "w0123456789ab", Up: true, Master: "br0"}}
	y := rtnl.End{Link: state.Link{Name: "lan"}, LinkOptions: rtnl.LinkOptions{NS: rtnl.InNS(10)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rtnl.CreateCable(x, y, names); err != nil {
			b.Fatal(err)
		}
	}
}

func benchEncode[T any](b *testing.B, v T, c codec[T]) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.encode(v); err != nil {
			b.Fatal(err)
		}
	}
}

func benchDecode[T any](b *testing.B, v T, c codec[T]) {
	data, err := c.encode(v)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.decode(data); err != nil {
			b.Fatal(err)
		}
	}
}
