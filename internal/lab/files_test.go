package lab_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/lab"
	"warren/plan"
	"warren/state"
)

func lockedDir(t *testing.T) lab.Dir {
	t.Helper()
	l, err := runDir(t).Lock(t.Context(), "classic", lab.LockOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Unlock)
	return l.Dir()
}

func steps(keys ...string) []plan.Step {
	var out []plan.Step
	for _, k := range keys {
		out = append(out, plan.Step{NS: "host", After: plan.Object{Sysctl: &state.Sysctl{Key: k, Value: "1"}}, Reason: "line\nbreak"})
	}
	return out
}

func TestJournal(t *testing.T) {
	d := lockedDir(t)
	read := func() lab.Journal {
		t.Helper()
		j, err := d.ReadJournal()
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	if j := read(); !j.Empty() || j.Torn {
		t.Errorf("no journal: %+v", j)
	}
	for _, s := range [][]plan.Step{steps("a", "b"), steps("c"), nil} {
		if err := d.WriteJournal(s); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(lab.Journal{Steps: steps("a", "b", "c")}, read()); diff != "" {
		t.Error(diff)
	}
	path := filepath.Join(d.Path(), "journal")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Torn at every byte: whole records before the tear are read, nothing else, and what is written later is read too.
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		j := read()
		if l := len(j.Steps); l != 0 && l != 2 || j.Bad != 0 {
			t.Fatalf("cut at %d: %+v", n, j)
		}
		before := len(j.Steps)
		if err := d.WriteJournal(steps("z")); err != nil {
			t.Fatal(err)
		}
		if j := read(); j.Steps[len(j.Steps)-1].After.Sysctl.Key != "z" || len(j.Steps) < before+1 || j.Torn {
			t.Fatalf("cut at %d and continued: %+v", n, j)
		}
	}
	if err := d.DropJournal(); err != nil {
		t.Fatal(err)
	}
	if err := d.DropJournal(); err != nil {
		t.Fatal(err)
	}
	if j := read(); !j.Empty() {
		t.Errorf("dropped: %+v", j)
	}
}

func TestCache(t *testing.T) {
	d := lockedDir(t)
	var got []map[string]int
	load := func() error {
		return d.LoadExpanded(func(n int) []any {
			got = make([]map[string]int, n)
			var into []any
			for i := range got {
				into = append(into, &got[i])
			}
			return into
		})
	}
	if err := load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	for n := 1; n < 9; n++ {
		var want []map[string]int
		var values []any
		for i := range n {
			want = append(want, map[string]int{"x": i})
			values = append(values, want[i])
		}
		data, err := lab.Encode(values...)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.SaveExpanded(data); err != nil {
			t.Fatal(err)
		}
		if err := load(); err != nil || !cmp.Equal(got, want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	if _, err := lab.Encode(1, func() {}); err == nil {
		t.Error("a function was written down")
	}
	for _, bad := range []string{"", "{\"x\":", "{}\n{\"x\":", "{}\n\n{}"} {
		if err := os.WriteFile(filepath.Join(d.Path(), "lab.json"), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := load(); !errors.Is(err, lab.ErrGarbage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	src := lab.Source{Path: "/x/warren.yaml", Data: []byte("nets: {}\n\xff")}
	if err := d.SaveSource(src); err != nil {
		t.Fatal(err)
	}
	if s, err := d.LoadSource(); err != nil || !cmp.Equal(s, src) {
		t.Errorf("source: %+v, %v", s, err)
	}
	if err := errors.Join(d.Forget(), d.Forget()); err != nil {
		t.Error(err)
	}
	if _, err := d.LoadSource(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("forgotten: %v", err)
	}
}

func TestHostsKeepTheirInode(t *testing.T) {
	d := lockedDir(t)
	if d.HostsPath("n") != "" || d.ResolvPath("n") != "" {
		t.Error("files before they were written")
	}
	entries := []lab.HostsEntry{{Addr: netip.MustParseAddr("10.0.0.1"), Names: []string{"a", "a.lan"}}}
	if err := d.WriteHosts("", lab.HostsText(entries)); err != nil {
		t.Fatal(err)
	}
	path := d.HostsPath("n")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteHosts("", lab.HostsText(nil)); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("another file: %v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != string(lab.HostsText(nil)) {
		t.Errorf("got %q, %v", data, err)
	}
	if err := d.WriteHosts("n", lab.HostsText(entries)); err != nil {
		t.Fatal(err)
	}
	if d.HostsPath("n") == path || d.HostsPath("m") != path {
		t.Errorf("paths: %s, %s", d.HostsPath("n"), d.HostsPath("m"))
	}
	if own, err := d.OwnEtc(); err != nil || !slices.Equal(own, []string{"n"}) {
		t.Errorf("nodes with files of their own: %v, %v", own, err)
	}
	if err := d.RemoveEtc("n"); err != nil || d.HostsPath("n") != path {
		t.Errorf("removed: %v, %s", err, d.HostsPath("n"))
	}
	if err := d.WriteHosts("../../x", nil); err == nil {
		t.Error("a node's name with slashes was accepted")
	}
	want := "nameserver 10.0.0.53\nnameserver fd00::53\nsearch lan\n"
	if got := string(lab.ResolvText([]netip.Addr{netip.MustParseAddr("10.0.0.53"), netip.MustParseAddr("fd00::53")}, []string{"lan"})); got != want {
		t.Errorf("resolv.conf: %q", got)
	}
}
