package iproute_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

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
// exit codes, output, and what is in the kernel at the end. A sequence is the same whenever it has the same number.
func TestDifferential(t *testing.T) {
	const inCI = 2000
	first, n := number(t, firstEnv, 0), number(t, sequencesEnv, inCI)
	if os.Getenv(firstEnv) != "" && os.Getenv(sequencesEnv) == "" {
		n = 1
	}
	if testing.Short() {
		n = min(n, 100)
	}
	workers := 2 * max(2, runtime.GOMAXPROCS(0)) // they wait for the kernel much of the time
	var next atomic.Int64
	next.Store(int64(first))
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= first+n || t.Context().Err() != nil || t.Failed() && os.Getenv("WARREN_KEEP_GOING") == "" {
					return
				}
				sequence(t, i)
			}
		})
	}
	group.Wait()
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
		want := unordered(argv, theirs(t, "", inside(argv, a)...))
		got := unordered(argv, ours(t, "", inside(argv, b)...))
		if got.Code == want.Code && got.Out != want.Out {
			// A change of carrier shows a moment later.
			got, want = settle(t, argv, a, b)
		}
		if got.Code != want.Code || got.Out != want.Out {
			t.Errorf("sequence %d:\n%s\nthey: %d %s%s\nwe:   %d %s%s", seed, strings.Join(history, "\n"), want.Code, want.Out, want.Err, got.Code, got.Out, got.Err)
			return false
		}
	}
	for _, d := range dumps() {
		var got, want result
		for range 1500 { // the kernel follows carriers up to a second late
			want, got = still(theirs(t, d.lines, inside(d.argv, a)...)), still(theirs(t, d.lines, inside(d.argv, b)...))
			got.Out, want.Out = sorted(got.Out), sorted(want.Out)
			if got.Out == want.Out {
				break
			}
		}
		if got.Out != want.Out || want.Code != 0 {
			t.Errorf("sequence %d:\n%s\n%v differs:\n%s", seed, strings.Join(history, "\n"), d.argv, cmp.Diff(strings.Split(want.Out, "\n"), strings.Split(got.Out, "\n")))
			return false
		}
	}
	return true
}

// A dump is a batch that shows what is in the kernel.
type dump struct {
	argv  []string
	lines string
}

func dumps() []dump {
	return []dump{
		{[]string{"ip", "-d", "-j", "-4", "-batch", "-"}, "link\naddr\nroute show table all\nrule\nneigh\nneigh show proxy\nnetconf\n"},
		{[]string{"ip", "-d", "-j", "-6", "-batch", "-"}, "addr\nroute show table all\nrule\nneigh\nneigh show proxy\ntoken\naddrlabel\nnexthop\n"},
		{[]string{"bridge", "-j", "-batch", "-"}, "fdb\nlink\nmdb\nvni\n"},
	}
}

// sorted puts the objects of lists in order: routes of equal rank come in the order of the links' carriers, neighbours in the
// order of a hash that is another in each namespace.
func sorted(json string) string {
	lines := strings.Split(json, "\n")
	for i, line := range lines {
		list := strings.Split(strings.Trim(line, "[]"), "},{")
		for i := range list {
			list[i] = strings.Trim(list[i], "{}")
		}
		slices.Sort(list)
		lines[i] = strings.Join(list, "\n")
	}
	return strings.Join(lines, "\n")
}

// still replaces the addresses that the kernel chose by chance; those that a command gave start with 02:00:00.
func still(r result) result {
	r.Out = anyMAC.ReplaceAllStringFunc(r.Out, func(mac string) string {
		if strings.HasPrefix(mac, "02:00:00") || strings.HasPrefix(mac, "01:00") || strings.HasPrefix(mac, "ff:") || strings.HasPrefix(mac, "33:33") {
			return mac
		}
		return "MAC"
	})
	r.Out = timers.ReplaceAllString(r.Out, "$1 TIME")
	return r
}

// What differs with each run: addresses that the kernel chose, times that pass.
var (
	anyMAC = regexp.MustCompile(`\b[0-9a-f]([26ae]|[13579bdf])(:[0-9a-f]{2}){5}\b`)
	timers = regexp.MustCompile(`((?:gc|hello|tcn|topology_change|hold|message_age|forward_delay)_timer"?:?|\breachable"?:?|expires"?:?|idle_time"?:?|valid_lft|preferred_lft|valid_life_time"?:?|preferred_life_time"?:?) *[0-9.]+(?:sec)?`)
)

// unordered is still, and the lines of lists of neighbours are put in order.
func unordered(argv []string, r result) result {
	r = still(r)
	if strings.HasPrefix(strings.Join(argv, " "), "ip") && slices.ContainsFunc(argv, func(w string) bool { return w == "neigh" }) {
		if strings.HasPrefix(r.Out, "[") {
			r.Out = sorted(r.Out)
		} else {
			lines := strings.Split(r.Out, "\n")
			slices.Sort(lines)
			r.Out = strings.Join(lines, "\n")
		}
	}
	return r
}

func settle(t *testing.T, argv []string, a, b string) (got, want result) {
	t.Helper()
	for range 1500 {
		want, got = unordered(argv, theirs(t, "", inside(argv, a)...)), unordered(argv, ours(t, "", inside(argv, b)...))
		if got.Code == want.Code && got.Out == want.Out {
			break
		}
	}
	return got, want
}

// inside puts "-n NAME" behind the program.
func inside(argv []string, name string) []string {
	return append([]string{argv[0], "-n", name}, argv[1:]...)
}
