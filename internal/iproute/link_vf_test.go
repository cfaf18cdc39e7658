package iproute_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// words32 is a few numbers of 32 bits.
func words32(v ...uint32) []byte {
	var b []byte
	for _, n := range v {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	return b
}

// attribute is one without the flag of nested ones, as the kernel has it here.
func attribute(typ uint16, data []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(data)))
	b = append(binary.NativeEndian.AppendUint16(b, typ), data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// virtualFunctions is a message about a card with two virtual functions, of which the second has all that there is.
func virtualFunctions(t *testing.T) []byte {
	t.Helper()
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	binary.NativeEndian.PutUint16(m.Head()[2:], unix.ARPHRD_ETHER)
	binary.NativeEndian.PutUint32(m.Head()[4:], 9)
	m.Str(unix.IFLA_IFNAME, "eth0")
	m.U32(unix.IFLA_MTU, 1500)
	m.Bytes(unix.IFLA_ADDRESS, []byte{2, 0, 0, 0, 0, 1})
	m.U32(unix.IFLA_NUM_VF, 2)
	var list []byte
	for vf := range uint32(2) {
		info := [][]byte{
			attribute(1, append(words32(vf), append([]byte{2, 0, 0, 0, 1, byte(vf)}, make([]byte, 26)...)...)),
			attribute(2, words32(vf, 7*vf, 3*vf)),
			attribute(3, words32(vf, 100*vf)),
			attribute(4, words32(vf, vf)),
			attribute(5, words32(vf, vf)),
		}
		if vf == 1 {
			var stats []byte
			for i, typ := range []uint16{0, 1, 2, 3, 4, 5, 7, 8} {
				stats = append(stats, attribute(typ, binary.NativeEndian.AppendUint64(nil, uint64(1001*i)))...)
			}
			info = append(info, attribute(6, words32(vf, 10, 20)), attribute(7, words32(vf, 1)), attribute(8, stats), attribute(9, words32(vf, 0)),
				attribute(12, attribute(1, append(words32(vf, 5, 2), 0x88, 0xa8, 0, 0))),
				attribute(13, append([]byte{255, 255, 255, 255, 255, 255}, make([]byte, 26)...)))
		}
		list = append(list, attribute(1, slices.Concat(info...))...)
	}
	m.Bytes(unix.IFLA_VFINFO_LIST, list)
	req, err := m.Request(unix.RTM_NEWLINK, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := words32(uint32(unix.NLMSG_HDRLEN+len(req.Data)), uint32(unix.RTM_NEWLINK), 0, 0)
	return append(b, req.Data...)
}

// TestVirtualFunctions shows a card that is not there with both.
func TestVirtualFunctions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(file, virtualFunctions(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, options := range [][]string{{"-d"}, {"-d", "-s"}, {}, {"-d", "-o"}} {
		argv := append(append([]string{"ip"}, options...), "monitor", "file", file)
		got, want := ours(t, "", argv...), theirs(t, "", argv...)
		if got.Code != want.Code || got.Out != want.Out {
			t.Errorf("%v: iproute2 (-), we (+):\n%s", argv, cmp.Diff(want.Out, got.Out))
		}
	}
}
