package iproute_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// shapes are the attributes of kinds of links that not every kernel has: a number and a size in bytes each, 0 = a flag.
func shapes() map[string][][2]int {
	byteAttrs := func(types ...int) (list [][2]int) {
		for _, typ := range types {
			list = append(list, [2]int{typ, 1})
		}
		return list
	}
	words := func(size int, types ...int) (list [][2]int) {
		for _, typ := range types {
			list = append(list, [2]int{typ, size})
		}
		return list
	}
	encap := func(first int) [][2]int { return words(2, first, first+1, first+2, first+3) }
	gre := func(addr int) [][2]int {
		return slices.Concat(words(2, 2, 3, 24), words(4, 4, 5, 20, 21), words(addr, 6, 7), byteAttrs(8, 22, 23), encap(14), [][2]int{{18, 0}})
	}
	iptun := func(addr int) [][2]int {
		return slices.Concat(words(addr, 2, 3), byteAttrs(4, 9), words(4, 20), encap(15), [][2]int{{19, 0}})
	}
	four := slices.Concat(gre(4), byteAttrs(9, 10, 19))
	six := slices.Concat(gre(16), byteAttrs(11), words(4, 12, 13))
	return map[string][][2]int{
		"bond": slices.Concat(
			byteAttrs(1, 6, 12, 13, 14, 16, 17, 21, 22, 27, 29, 30), words(4, 3, 4, 5, 7, 9, 10, 15, 18, 19, 20, 28), words(2, 24, 25), words(6, 26)),
		"vrf": words(4, 1), "hsr": slices.Concat(words(2, 5), words(6, 4), byteAttrs(7)), "rmnet": words(2, 1), "wwan": words(4, 1),
		"ipoib": words(2, 1, 2, 3), "gtp": slices.Concat(words(4, 3, 4), byteAttrs(6)),
		"amt":    slices.Concat(words(2, 2, 3), words(4, 5, 6, 7, 8)),
		"geneve": slices.Concat(words(4, 1, 2, 11), words(16, 7), byteAttrs(3, 4, 8, 9, 10, 12, 13), words(2, 5), [][2]int{{6, 0}, {14, 0}}),
		"ipip":   slices.Concat(iptun(4), byteAttrs(5, 10)), "sit": slices.Concat(iptun(4), byteAttrs(5, 10), words(2, 8)),
		"ip6tnl": slices.Concat(iptun(16), byteAttrs(6), words(4, 7, 8)),
		"vti":    words(4, 2, 3, 4, 5, 6), "vti6": slices.Concat(words(4, 2, 3, 6), words(16, 4, 5)),
		"gre": four, "gretap": four, "erspan": four, "ip6gre": six, "ip6gretap": six, "ip6erspan": six,
		"vlan":       slices.Concat(words(2, 1), words(8, 2)),
		"bond_slave": slices.Concat(byteAttrs(1, 2, 7, 8), words(4, 3, 9), words(6, 4), words(2, 5, 6)),
		"vrf_slave":  words(4, 1), "bridge_slave": slices.Concat(byteAttrs(1, 4, 5, 6, 7, 8, 9, 10, 11, 25), words(2, 2, 31), words(4, 3)),
	}
}

// links are messages about links of a kind with some of its attributes, whose values are small more often than not.
func links(t *testing.T, kind string, attrs [][2]int, rnd *rand.Rand) []byte {
	t.Helper()
	name, slave := strings.CutSuffix(kind, "_slave")
	kindType, dataType := uint16(unix.IFLA_INFO_KIND), uint16(unix.IFLA_INFO_DATA)
	if slave {
		kindType, dataType = unix.IFLA_INFO_SLAVE_KIND, unix.IFLA_INFO_SLAVE_DATA
	}
	r := &recording{t: t}
	for range 40 {
		m := rtnl.NewMessage(rtnl.IfinfoLen)
		binary.NativeEndian.PutUint32(m.Head()[4:], 7)
		binary.NativeEndian.PutUint16(m.Head()[2:], unix.ARPHRD_ETHER)
		m.Str(unix.IFLA_IFNAME, "x7")
		m.U32(unix.IFLA_MTU, 1500)
		info := m.Begin(unix.IFLA_LINKINFO)
		m.Str(kindType, name)
		data := m.Begin(dataType)
		wrapped := rnd.IntN(2) == 0 // the four attributes of what wraps a tunnel come together
		for _, a := range attrs {
			if a[1] == 2 && a[0] >= 14 && a[0] <= 18 && strings.Contains("ipip sit ip6tnl gre gretap erspan ip6gre ip6gretap ip6erspan", kind) {
				if !wrapped {
					continue
				}
			} else if rnd.IntN(3) == 0 && (kind != "vlan" || a[0] != 1) {
				continue
			}
			b := make([]byte, a[1])
			for i := range b {
				switch {
				case i == 0 && rnd.IntN(2) == 0:
					b[i] = byte(rnd.IntN(9))
				case rnd.IntN(3) == 0:
					b[i] = byte(rnd.IntN(256))
				}
			}
			m.Bytes(uint16(a[0]), b)
		}
		m.End(data)
		m.End(info)
		r.add(unix.RTM_NEWLINK, m)
	}
	return r.b
}

// TestKinds shows recorded messages about links of many kinds with both.
func TestKinds(t *testing.T) {
	kinds := shapes()
	for i, kind := range slices.Sorted(func(yield func(string) bool) {
		for kind := range kinds {
			if !yield(kind) {
				return
			}
		}
	}) {
		t.Run(kind, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), kind)
			if err := os.WriteFile(path, links(t, kind, kinds[kind], rand.New(rand.NewPCG(1, uint64(i)))), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, options := range []string{"-d", "-d -o", "-d -s"} {
				argv := append(append([]string{"ip"}, strings.Fields(options)...), "monitor", "link", "file", path)
				want, got := theirs(t, "", argv...), ours(t, "", argv...)
				theirLines, ourLines := strings.Split(want.Out, "\n"), strings.Split(got.Out, "\n")
				for n, line := range theirLines {
					if n >= len(ourLines) || line != ourLines[n] {
						t.Fatalf("%s: line %d\nthey: %s\nwe:   %s", strings.Join(argv, " "), n, line, strings.Join(ourLines[min(n, len(ourLines)):min(n+1, len(ourLines))], ""))
					}
				}
				if got.Code != want.Code {
					t.Fatalf("%s: %d, want %d", strings.Join(argv, " "), got.Code, want.Code)
				}
			}
		})
	}
}
