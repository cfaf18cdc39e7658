package iproute_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"warren/netns"
)

// sequencesEnv is how many sequences to run; firstEnv is the number of the first, to run one again.
const (
	sequencesEnv = "WARREN_SEQUENCES"
	firstEnv     = "WARREN_SEQUENCE"
)

func number(t *testing.T, env string, otherwise int) int {
	t.Helper()
	v := os.Getenv(env)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDifferential runs random sequences of commands with iproute2 and with us, each in a namespace of its own, and compares
// exit codes, output, and what is in the kernel at the end.
func TestDifferential(t *testing.T) {
	first := number(t, firstEnv, 0)
	for i := first; i < first+number(t, sequencesEnv, 100); i++ {
		if !sequence(t, i) && t.Failed() && i-first > 2000 {
			return
		}
		if t.Failed() && os.Getenv("WARREN_KEEP_GOING") == "" {
			return
		}
	}
}

// twin makes a namespace in which nothing depends on time: addresses are there at once.
func twin(t *testing.T, name string) {
	t.Helper()
	h, err := netns.Create(t.Context(), netns.Dir+"/"+name, func(in *netns.Inside) error {
		for key, value := range map[string]string{
			"net/ipv6/conf/default/accept_dad": "0", "net/ipv6/conf/all/accept_dad": "0", "net/ipv6/conf/default/router_solicitations": "0",
			"net/ipv6/conf/default/addr_gen_mode": "1",
		} {
			if err := in.SetSysctl(key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
}

func sequence(t *testing.T, seed int) bool {
	t.Helper()
	g := &generator{r: rand.New(rand.NewPCG(uint64(seed), 7))}
	a, b := fmt.Sprintf("a%d", seed), fmt.Sprintf("b%d", seed)
	twin(t, a)
	twin(t, b)
	defer func() {
		for _, name := range []string{a, b} {
			if err := netns.Delete(t.Context(), netns.Dir+"/"+name); err != nil {
				t.Error(err)
			}
		}
	}()
	var history []string
	for range 4 + g.r.IntN(10) {
		argv := g.command()
		history = append(history, strings.Join(argv, " "))
		want := still(theirs(t, "", inside(argv, a)...))
		got := still(ours(t, "", inside(argv, b)...))
		if got.Code == want.Code && got.Out != want.Out {
			// A change of carrier shows a moment later.
			got, want = settle(t, argv, a, b)
		}
		if got.Code != want.Code || got.Out != want.Out {
			t.Errorf("sequence %d:\n%s\nthey: %d %s%s\nwe:   %d %s%s", seed, strings.Join(history, "\n"), want.Code, want.Out, want.Err, got.Code, got.Out, got.Err)
			return false
		}
	}
	for _, dump := range []string{
		"ip -d -j link", "ip -d -j addr", "ip -d -j -4 route show table all", "ip -d -j -6 route show table all", "ip -d -j neigh", "ip -j neigh show proxy",
		"ip -j rule", "ip -6 -j rule", "bridge -j fdb", "bridge -d -j link", "bridge -j vlan", "bridge -d -j mdb",
	} {
		argv := strings.Fields(dump)
		var got, want result
		for range 1500 { // the kernel follows carriers up to a second late
			want, got = still(theirs(t, "", inside(argv, a)...)), still(theirs(t, "", inside(argv, b)...))
			if strings.Contains(dump, "-6") { // routes of equal rank are in the order of the links' carriers
				got.Out, want.Out = sorted(got.Out), sorted(want.Out)
			}
			if got.Out == want.Out {
				break
			}
		}
		if got.Out != want.Out {
			t.Errorf("sequence %d:\n%s\n%s differs:\nthey: %s\nwe:   %s", seed, strings.Join(history, "\n"), dump, want.Out, got.Out)
			return false
		}
	}
	return true
}

func sorted(json string) string {
	list := strings.Split(strings.Trim(json, "[]\n"), "},{")
	for i := range list {
		list[i] = strings.Trim(list[i], "{}")
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// still replaces the addresses that the kernel chose by chance; those that a command gave start with 02:00:00.
func still(r result) result {
	r.Out = regexp.MustCompile(`\b[0-9a-f]([26ae]|[13579bdf])(:[0-9a-f]{2}){5}\b`).ReplaceAllStringFunc(r.Out, func(mac string) string {
		if strings.HasPrefix(mac, "02:00:00") || strings.HasPrefix(mac, "01:00") || strings.HasPrefix(mac, "ff:") || strings.HasPrefix(mac, "33:33") {
			return mac
		}
		return "MAC"
	})
	return r
}

func settle(t *testing.T, argv []string, a, b string) (got, want result) {
	t.Helper()
	for range 1500 {
		want, got = still(theirs(t, "", inside(argv, a)...)), still(ours(t, "", inside(argv, b)...))
		if got == want {
			break
		}
	}
	return got, want
}

// inside puts "-n NAME" behind the program.
func inside(argv []string, name string) []string {
	return append([]string{argv[0], "-n", name}, argv[1:]...)
}
