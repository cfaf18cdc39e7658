package rtnl_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warren/internal/rtnl"
	"warren/state"
)

// equal is how values are compared: addresses and prefixes by ==.
var equal = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

// A codec is one pair of functions.
type codec[T any] struct {
	encode func(T) ([]byte, error)
	decode func([]byte) (T, error)
}

func linkCodec() codec[state.Link] {
	names := table()
	return codec[state.Link]{
		func(l state.Link) ([]byte, error) { return rtnl.EncodeLink(l, names) },
		func(b []byte) (state.Link, error) { return rtnl.DecodeLink(b, names) },
	}
}

func addrCodec() codec[state.Addr] {
	names := table()
	return codec[state.Addr]{
		func(a state.Addr) ([]byte, error) { return rtnl.EncodeAddr(a, names) },
		func(b []byte) (state.Addr, error) { return rtnl.DecodeAddr(b, names) },
	}
}

func routeCodec() codec[state.Route] {
	names := table()
	return codec[state.Route]{
		func(r state.Route) ([]byte, error) { return rtnl.EncodeRoute(r, names) },
		func(b []byte) (state.Route, error) { return rtnl.DecodeRoute(b, names) },
	}
}

func ruleCodec() codec[state.Rule] { return codec[state.Rule]{rtnl.EncodeRule, rtnl.DecodeRule} }

func neighborCodec() codec[state.Neighbor] {
	names := table()
	return codec[state.Neighbor]{
		func(n state.Neighbor) ([]byte, error) { return rtnl.EncodeNeighbor(n, names) },
		func(b []byte) (state.Neighbor, error) { return rtnl.DecodeNeighbor(b, names) },
	}
}

func fdbCodec() codec[state.FDBEntry] {
	names := table()
	return codec[state.FDBEntry]{
		func(f state.FDBEntry) ([]byte, error) { return rtnl.EncodeFDB(f, names) },
		func(b []byte) (state.FDBEntry, error) { return rtnl.DecodeFDB(b, names) },
	}
}

func nsidCodec() codec[int] {
	return codec[int]{func(id int) ([]byte, error) { return rtnl.EncodeNSID(id), nil }, rtnl.DecodeNSID}
}

// roundTrip checks that what was encoded decodes to itself.
func roundTrip[T any](t *testing.T, g *rapid.Generator[T], c codec[T]) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		want := g.Draw(rt, "value")
		b, err := c.encode(want)
		if err != nil {
			rt.Fatalf("encode %+v: %v", want, err)
		}
		got, err := c.decode(b)
		if err != nil {
			rt.Fatalf("decode %+v: %v", want, err)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			rt.Fatalf("decode(encode(x)) is not x (-want +got):\n%s", diff)
		}
		if len(b)%4 != 0 {
			rt.Fatalf("%d bytes: not aligned", len(b))
		}
	})
}

func TestRoundTrip(t *testing.T) {
	t.Run("link", func(t *testing.T) { roundTrip(t, anyLink, linkCodec()) })
	t.Run("addr", func(t *testing.T) { roundTrip(t, anyAddr, addrCodec()) })
	t.Run("route", func(t *testing.T) { roundTrip(t, anyRoute, routeCodec()) })
	t.Run("rule", func(t *testing.T) { roundTrip(t, anyRule, ruleCodec()) })
	t.Run("neighbor", func(t *testing.T) { roundTrip(t, anyNeighbor, neighborCodec()) })
	t.Run("fdb", func(t *testing.T) { roundTrip(t, anyFDB, fdbCodec()) })
	t.Run("nsid", func(t *testing.T) { roundTrip(t, rapid.IntRange(-1, 1<<31-1), nsidCodec()) })
}

// refuzz checks that any bytes are either refused or decode to a value that can be encoded again and decodes to itself.
func refuzz[T any](f *testing.F, g *rapid.Generator[T], c codec[T]) {
	f.Add([]byte{})
	for i := range 4 {
		b, err := c.encode(g.Example(i))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := c.decode(data)
		if err != nil {
			return
		}
		b, err := c.encode(v)
		if err != nil {
			t.Fatalf("decoded %+v, which cannot be encoded: %v", v, err)
		}
		again, err := c.decode(b)
		if err != nil {
			t.Fatalf("encoded %+v, which cannot be decoded: %v", v, err)
		}
		if diff := cmp.Diff(v, again, equal); diff != "" {
			t.Fatalf("decoded again it is another value (-first +again):\n%s", diff)
		}
	})
}

func FuzzDecodeLink(f *testing.F)     { refuzz(f, anyLink, linkCodec()) }
func FuzzDecodeAddr(f *testing.F)     { refuzz(f, anyAddr, addrCodec()) }
func FuzzDecodeRoute(f *testing.F)    { refuzz(f, anyRoute, routeCodec()) }
func FuzzDecodeRule(f *testing.F)     { refuzz(f, anyRule, ruleCodec()) }
func FuzzDecodeNeighbor(f *testing.F) { refuzz(f, anyNeighbor, neighborCodec()) }
func FuzzDecodeFDB(f *testing.F)      { refuzz(f, anyFDB, fdbCodec()) }
func FuzzDecodeNSID(f *testing.F)     { refuzz(f, rapid.IntRange(-1, 99), nsidCodec()) }
