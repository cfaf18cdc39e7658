package iproute_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestXfrmMessages has iproute2 and us print messages that no kernel here would send, from a file.
func TestXfrmMessages(t *testing.T) {
	leakCheck(t)
	const each = 1000
	options := []string{"", "-s", "-o", "-s -o", "-6", "-4 -d", "-j", "-s -N", "-s nokeys", "-o nokeys"}
	for seed, opt := range options {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		var msgs [][]byte
		for range each {
			typ, data := randomXfrm(r)
			b := binary.NativeEndian.AppendUint32(nil, uint32(16+len(data)))
			b = binary.NativeEndian.AppendUint16(b, typ)
			b = append(b, make([]byte, 10)...)
			b = append(b, data...)
			for len(b)%4 != 0 {
				b = append(b, 0)
			}
			msgs = append(msgs, b)
		}
		compareXfrm(t, opt, msgs)
	}
}

// compareXfrm looks for the first message that is printed another way.
func compareXfrm(t *testing.T, options string, msgs [][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "messages")
	differ := func(msgs [][]byte) (want, got result, ok bool) {
		var all []byte
		for _, m := range msgs {
			all = append(all, m...)
		}
		if err := os.WriteFile(path, all, 0o600); err != nil {
			t.Fatal(err)
		}
		global, nokeys := strings.CutSuffix(options, "nokeys")
		argv := append(append([]string{"ip"}, strings.Fields(global)...), "xfrm", "monitor", "file", path)
		if nokeys {
			argv = append(argv, "nokeys")
		}
		want, got = theirs(t, "", argv...), ours(t, "", argv...)
		return want, got, want != got
	}
	if _, _, bad := differ(msgs); !bad {
		return
	}
	for i := range msgs {
		if want, got, bad := differ(msgs[i : i+1]); bad {
			t.Errorf("ip %s xfrm monitor, message %d (%x):\n%s", options, i, msgs[i], cmp.Diff(want, got))
			return
		}
	}
	t.Errorf("ip %s xfrm monitor differs for all messages, not for one", options)
}
