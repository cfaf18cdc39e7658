package warren_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warren"
	"warren/state"
)

// values compares what has no fields to look at.
var values = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}, netip.AddrPort{}, state.Value{})

func someSnapshot() state.Snapshot {
	comment := "from iptables"
	return state.Snapshot{
		Version: state.SnapshotVersion, Time: time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC), Kernel: "6.18.0", Host: "box",
		Namespaces: []state.Namespace{{
			Name: "a", Cookie: 1 << 60, Owner: &state.Owner{Kind: "docker", Name: "web"}, Read: state.PartsAll,
			Holders: []state.Holder{{Kind: "mount", Path: "/run/netns/a"}},
			Contents: state.Contents{
				Links:   []state.Link{{Name: "eth0", Index: 2, Peer: &state.Peer{NSID: 0, Index: 7, Name: "v0", NS: "host"}, IPv4: []int32{-1, 2}}},
				Tables:  []state.Table{{Family: "ip", Name: "f", Chains: []state.Chain{{Name: "c", Rules: []state.FirewallRule{{Exprs: []state.Expr{{XTMatch: &state.XTMatch{Name: "comment", Comment: &comment}}}}}}}}},
				Sockets: []state.Socket{{Protocol: "tcp", State: "LISTEN", Process: &state.Process{PID: 3, Command: "x"}}},
			},
		}, {Name: "b"}},
		Unread: []state.Unread{{Object: "/proc/1/ns/net", Reason: "permission denied"}},
	}
}

func TestSnapshotFile(t *testing.T) {
	want := someSnapshot()
	for _, name := range []string{"/s.json", "/s.json.gz"} {
		file := t.TempDir() + name
		if err := warren.SaveSnapshot(file, want); err != nil {
			t.Fatal(err)
		}
		got, err := warren.LoadSnapshot(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), values); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := warren.SaveSnapshot(t.TempDir()+"/no/such/dir", want); err == nil {
		t.Error("written into a directory that is not there")
	}
}

// TestSnapshotCutOff: no beginning of a snapshot is one, compressed or not.
func TestSnapshotCutOff(t *testing.T) {
	var plain, packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for _, err := range []error{warren.WriteSnapshot(&plain, someSnapshot()), warren.WriteSnapshot(z, someSnapshot()), z.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, whole := range [][]byte{bytes.TrimSpace(plain.Bytes()), packed.Bytes()} {
		for n := range len(whole) {
			if _, err := warren.ReadSnapshot(bytes.NewReader(whole[:n])); !errors.Is(err, warren.ErrNotSnapshot) {
				t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
			}
		}
		if _, err := warren.ReadSnapshot(bytes.NewReader(whole)); err != nil {
			t.Error(err)
		}
	}
}

func TestSnapshotRefused(t *testing.T) {
	for text, want := range map[string]error{
		`{"version":2,"namespaces":[]}`:     warren.ErrNewerSnapshot,
		`{"version":99,"future":{"x":[1]}}`: warren.ErrNewerSnapshot,
		`{"version":0}`:                     warren.ErrNotSnapshot,
		`{}`:                                warren.ErrNotSnapshot,
		`[]`:                                warren.ErrNotSnapshot,
		`null`:                              warren.ErrNotSnapshot,
		`{"version":"1"}`:                   warren.ErrNotSnapshot,
		`{"version":1,"namespaces":7}`:      warren.ErrNotSnapshot,
		`{"version":1} and more`:            warren.ErrNotSnapshot,
		`{"version":1,"namespaces":[{"name":"a"},{"name":"a"}]}`:            warren.ErrNotSnapshot,
		`{"version":1,"namespaces":[{"addrs":[{"prefix":"10.0.0.1/99"}]}]}`: warren.ErrNotSnapshot,
	} {
		_, err := warren.ReadSnapshot(strings.NewReader(text))
		if !errors.Is(err, want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	if s, err := warren.ReadSnapshot(strings.NewReader(`{"version":1,"later":true,"namespaces":[{"name":"b"},{"name":"a","later":1}]}`)); err != nil || s.Namespace("b") == nil {
		t.Errorf("a field of a later warren: %v, %+v", err, s)
	}
	// Small on disk, endless inside.
	r := &endless{}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 64 {
		if _, err := z.Write(r.block()); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := warren.ReadSnapshotLimit(&b, 16<<20); !errors.Is(err, warren.ErrNotSnapshot) {
		t.Errorf("64 MiB of blanks: %v", err)
	}
}

type endless struct{ b []byte }

func (e *endless) block() []byte {
	if e.b == nil {
		e.b = bytes.Repeat([]byte{' '}, 1<<20)
	}
	return e.b
}

func FuzzReadSnapshot(f *testing.F) {
	var b bytes.Buffer
	if err := warren.WriteSnapshot(&b, someSnapshot()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"version":1,"namespaces":[{"name":"a"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := warren.ReadSnapshot(bytes.NewReader(text))
		if err != nil {
			return
		}
		// What was read can be written, and read as the same.
		var b bytes.Buffer
		if err := warren.WriteSnapshot(&b, s); err != nil {
			t.Fatal(err)
		}
		again, err := warren.ReadSnapshot(&b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again, cmpopts.EquateEmpty(), values); diff != "" {
			t.Error(diff)
		}
	})
}
