package lab_test

import (
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warren/internal/lab"
	"warren/state"
)

// host is the kernel's behaviour as far as the ledger knows it. It dies before its n-th write.
type host struct {
	v       map[string]string
	dieAt   int
	lostRAs bool // an interface lost its default route
}

var errDied = errors.New("killed")

func newHost() *host {
	v := map[string]string{"net/ipv4/ip_forward": "0", "net/ipv4/conf/all/accept_redirects": "1", "net/core/somaxconn": "4096"}
	for _, n := range []string{"all", "default", "eth0", "eth1.5"} {
		v["net/ipv6/conf/"+n+"/forwarding"] = "0"
		v["net/ipv6/conf/"+n+"/accept_ra"] = "1"
		if n != "all" {
			v["net/ipv4/conf/"+n+"/forwarding"] = "0"
		}
	}
	v["net/ipv4/conf/eth1.5/forwarding"] = "1" // one that forwarded before
	return &host{v: v, dieAt: -1}
}

func (h *host) Read(key string) (string, error) {
	v, ok := h.v[key]
	if !ok {
		return "", fs.ErrNotExist
	}
	return v, nil
}

func (h *host) List(dir string) ([]string, error) {
	var out []string
	for k := range h.v {
		if rest, ok := strings.CutPrefix(k, dir+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (h *host) Write(key, value string) error {
	if h.dieAt == 0 {
		return errDied
	}
	h.dieAt--
	if _, ok := h.v[key]; !ok {
		return fs.ErrNotExist
	}
	changed := h.v[key] != value
	h.v[key] = value
	all := func(family string) {
		for k := range h.v {
			if strings.HasPrefix(k, "net/"+family+"/conf/") && strings.HasSuffix(k, "/forwarding") {
				if family == "ipv6" && value == "1" && !strings.Contains(k, "/all/") && !strings.Contains(k, "/default/") &&
					h.v[strings.TrimSuffix(k, "forwarding")+"accept_ra"] == "1" {
					h.lostRAs = true
				}
				h.v[k] = value
			}
		}
	}
	switch {
	case key == "net/ipv4/ip_forward" && changed:
		all("ipv4")
		h.v["net/ipv4/conf/all/accept_redirects"] = map[string]string{"0": "1", "1": "0"}[value]
	case key == "net/ipv6/conf/all/forwarding" && changed:
		all("ipv6")
	}
	return nil
}

func forwarding() []state.Sysctl {
	return []state.Sysctl{{Key: "net/ipv4/ip_forward", Value: "1"}, {Key: "net/ipv6/conf/all/forwarding", Value: "1"}}
}

func TestLedgerRestoresWhenTheLastLeaves(t *testing.T) {
	r := runDir(t)
	if err := r.Ensure(); err != nil {
		t.Fatal(err)
	}
	h := newHost()
	before := maps.Clone(h.v)
	l := r.Ledger(h)
	for _, name := range []string{"one", "two", "one"} {
		if err := l.Acquire(name, forwarding()); err != nil {
			t.Fatal(err)
		}
	}
	if h.v["net/ipv4/ip_forward"] != "1" || h.v["net/ipv6/conf/eth0/forwarding"] != "1" || h.v["net/ipv6/conf/eth0/accept_ra"] != "2" || h.lostRAs {
		t.Errorf("acquired: %v", h.v)
	}
	held := maps.Clone(h.v)
	if back, err := l.Release("one"); err != nil || len(back) != 0 {
		t.Errorf("first release: %v, %v", back, err)
	}
	if diff := cmp.Diff(held, h.v); diff != "" {
		t.Errorf("the first that left changed something: %s", diff)
	}
	if users, err := l.Users(); err != nil || !slices.Equal(users, []string{"two"}) {
		t.Errorf("users: %v, %v", users, err)
	}
	if back, err := l.Release("two"); err != nil || len(back) == 0 {
		t.Errorf("last release: %v, %v", back, err)
	}
	if diff := cmp.Diff(before, h.v); diff != "" {
		t.Errorf("not restored: %s", diff)
	}
	if files, err := filepath.Glob(r.Path + "/*"); err != nil || len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func TestLedgerLeavesWhatIsNotOursAnyMore(t *testing.T) {
	r := runDir(t)
	if err := r.Ensure(); err != nil {
		t.Fatal(err)
	}
	h := newHost()
	l := r.Ledger(h)
	if err := l.Acquire("one", append(forwarding(), state.Sysctl{Key: "net/core/somaxconn", Value: "100"})); err != nil {
		t.Fatal(err)
	}
	h.v["net/core/somaxconn"] = "7"              // somebody else
	h.v["net/ipv4/conf/eth1.5/forwarding"] = "0" // and here: it had 1 before us
	h.v["net/ipv6/conf/eth0/accept_ra"] = "0"    // and here
	delete(h.v, "net/ipv4/conf/eth0/forwarding") // an interface is gone
	if _, err := l.Release("one"); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{
		"net/core/somaxconn": "7", "net/ipv4/conf/eth1.5/forwarding": "0", "net/ipv6/conf/eth0/accept_ra": "0",
		"net/ipv6/conf/eth1.5/accept_ra": "1", "net/ipv4/ip_forward": "0",
	} {
		if h.v[k] != want {
			t.Errorf("%s: got %s, want %s", k, h.v[k], want)
		}
	}
}

func TestLedgerRefusesTwoValues(t *testing.T) {
	r := runDir(t)
	if err := r.Ensure(); err != nil {
		t.Fatal(err)
	}
	h := newHost()
	l := r.Ledger(h)
	one := []state.Sysctl{{Key: "net/core/somaxconn", Value: "100"}}
	two := []state.Sysctl{{Key: "net/core/somaxconn", Value: "200"}}
	if err := l.Acquire("one", one); err != nil {
		t.Fatal(err)
	}
	if err := l.Acquire("two", two); !errors.Is(err, lab.ErrSysctlBusy) || !strings.Contains(err.Error(), "lab one needs 100") {
		t.Errorf("got %v", err)
	}
	if err := l.Acquire("one", two); err != nil || h.v["net/core/somaxconn"] != "200" {
		t.Errorf("own change: %v, %v", err, h.v["net/core/somaxconn"])
	}
	if _, err := l.Release("one"); err != nil || h.v["net/core/somaxconn"] != "4096" {
		t.Errorf("released: %v, %v", err, h.v["net/core/somaxconn"])
	}
}

// Whatever is acquired and released in whatever order, and wherever the process is killed in between: when nobody is left
// all is as before.
func TestLedgerSurvivesBeingKilled(t *testing.T) {
	r := runDir(t)
	if err := r.Ensure(); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		h := newHost()
		if rapid.Bool().Draw(t, "forwards") {
			_ = h.Write("net/ipv4/ip_forward", "1")
		}
		before := maps.Clone(h.v)
		labs := []string{"one", "two", "three"}
		for range rapid.IntRange(1, 12).Draw(t, "commands") {
			h.dieAt = rapid.IntRange(-1, 12).Draw(t, "die")
			l := r.Ledger(h)
			name := rapid.SampledFrom(labs).Draw(t, "lab")
			var err error
			if rapid.Bool().Draw(t, "acquire") {
				err = l.Acquire(name, forwarding())
				if err == nil && (h.v["net/ipv4/ip_forward"] != "1" || h.v["net/ipv6/conf/all/forwarding"] != "1") {
					t.Fatalf("acquired: %v", h.v)
				}
			} else {
				_, err = l.Release(name)
			}
			if err != nil && !errors.Is(err, errDied) {
				t.Fatal(err)
			}
		}
		h.dieAt = -1
		for _, name := range labs {
			if _, err := r.Ledger(h).Release(name); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(before, h.v); diff != "" {
			t.Fatalf("not restored: %s", diff)
		}
		if h.lostRAs {
			t.Fatal("an interface lost its default route")
		}
		if held, err := r.Ledger(h).Held(); err != nil || len(held) != 0 {
			t.Fatalf("held: %v, %v", held, err)
		}
	})
}
