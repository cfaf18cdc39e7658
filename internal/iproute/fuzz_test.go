package iproute_test

import (
	"errors"
	"strings"
	"testing"

	"warren/netns"
)

// FuzzWords: whatever the words, the parser answers with an exit code, says why when it is not 0, and JSON is never cut short
// by a panic. It works in a namespace of its own, so what happens to be a good command does no harm.
func FuzzWords(f *testing.F) {
	for _, seed := range []string{
		"link add v0 type veth peer name v1", "-j addr show", "route add 10/8 nexthop via 10.0.0.1 weight 2", "-br -4 a", "rule add from 1.2.3.4/33 fwmark 1/", "neigh add",
		"link add type vxlan id 1 remote ::1 port 1 2", "addr add 1.2.3.4/255.255.0.0 brd + dev lo", "route get", "link set lo alias", "link property add dev lo altname", "netns list-id nsid 0",
	} {
		f.Add(seed)
	}
	h, err := netns.Create(f.Context(), netns.Dir+"/fuzz", nil)
	switch {
	case err == nil:
		h.Close()
	case !errors.Is(err, netns.ErrExist): // fuzzing has several processes
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		list := strings.Fields(line)
		for _, word := range list {
			switch {
			case word != "" && strings.HasPrefix("monitor", word):
				return // that goes on for ever
			case strings.HasPrefix("netns", strings.TrimLeft(word, "-")), strings.HasPrefix(strings.TrimLeft(word, "-"), "n"), strings.HasPrefix(strings.TrimLeft(word, "-"), "b"):
				return // another namespace, or a file
			}
		}
		r := ours(t, "", append([]string{"ip", "-n", "fuzz"}, list...)...)
		switch r.Code {
		case 0:
		case 1, 2, 255:
			if r.Err == "" && r.Out == "" {
				t.Errorf("%q: exit code %d without a word", list, r.Code)
			}
		default:
			t.Errorf("%q: exit code %d", list, r.Code)
		}
	})
}
