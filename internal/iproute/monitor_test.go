package iproute_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// A recording is a file of netlink messages, as rtmon(8) writes them.
type recording struct {
	t *testing.T
	b []byte
}

func (r *recording) add(typ int, m *rtnl.Message) {
	r.t.Helper()
	req, err := m.Request(typ, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	r.b = binary.NativeEndian.AppendUint32(r.b, uint32(16+len(req.Data)))
	r.b = binary.NativeEndian.AppendUint16(r.b, uint16(typ))
	r.b = append(r.b, make([]byte, 10)...)
	r.b = append(r.b, req.Data...)
	for len(r.b)%4 != 0 {
		r.b = append(r.b, 0)
	}
}

func vlanInfo(flags, vid uint16) []byte {
	return binary.NativeEndian.AppendUint16(binary.NativeEndian.AppendUint16(nil, flags), vid)
}

// vlans are messages about VLANs of bridges, which not every kernel has: ports' lists as ranges, tunnels, states, options.
func vlans(t *testing.T) []byte {
	r := &recording{t: t}
	const newVlan, delVlan = 112, 113
	for _, typ := range []int{newVlan, delVlan} {
		m := rtnl.NewMessage(8)
		m.Head()[0] = unix.AF_BRIDGE
		binary.NativeEndian.PutUint32(m.Head()[4:], 1)
		for i, vid := range []uint16{5, 7} {
			at := m.Begin(1)
			m.Bytes(1, vlanInfo(uint16(2*i+4*i), vid))
			if i == 1 {
				m.U16(2, 9)
			}
			m.U8(3, uint8(3-i))
			m.U8(6, 1)
			st := m.Begin(5)
			for k := range uint16(4) {
				m.U64(k+1, uint64(100*(k+1)))
			}
			m.End(st)
			m.End(at)
		}
		r.add(typ, m)
	}
	m := rtnl.NewMessage(8)
	m.Head()[0] = unix.AF_BRIDGE
	binary.NativeEndian.PutUint32(m.Head()[4:], 1)
	at := m.Begin(2)
	m.U16(1, 20)
	m.U16(2, 22)
	for _, typ := range []uint16{3, 4, 5, 15} {
		m.U8(typ, uint8(typ))
	}
	for _, typ := range []uint16{6, 7} {
		m.U32(typ, uint32(typ))
	}
	for _, typ := range []uint16{8, 10, 11, 12, 13, 14} {
		m.U64(typ, uint64(typ))
	}
	m.End(at)
	r.add(newVlan, m)

	link := rtnl.NewMessage(rtnl.IfinfoLen)
	link.Head()[0] = unix.AF_BRIDGE
	binary.NativeEndian.PutUint32(link.Head()[4:], 1)
	link.Str(unix.IFLA_IFNAME, "lo")
	link.U32(unix.IFLA_MTU, 1500)
	spec := link.Begin(unix.IFLA_AF_SPEC)
	link.Bytes(2, vlanInfo(2|4, 1))
	link.Bytes(2, vlanInfo(8, 10))
	link.Bytes(2, vlanInfo(16, 20))
	link.End(spec)
	r.add(unix.RTM_NEWLINK, link)
	r.add(unix.RTM_DELLINK, link)
	return r.b
}

// TestRecorded shows recorded messages with both.
func TestRecorded(t *testing.T) {
	for name, file := range map[string][]byte{"vlans": vlans(t)} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, options := range []string{"", "-d", "-s", "-d -s", "-o", "-c"} {
			argv := append(append([]string{"bridge"}, strings.Fields(options)...), "monitor", "file", path)
			want, got := theirs(t, "", argv...), ours(t, "", argv...)
			if d := cmp.Diff(want.Out, got.Out); d != "" || want.Code != got.Code {
				t.Errorf("%s: %d, want %d\n%s\n%s", strings.Join(argv, " "), got.Code, want.Code, d, got.Err)
			}
		}
	}
}
