package seetest_test

import (
	"slices"
	"testing"

	"warren"
	"warren/internal/kerneltest"
	"warren/state"
)

// A situation is something that a host can be in. make makes it, with programs of others or bare system calls, and returns
// what has to be seen of it.
type situation struct {
	name  string
	needs []string // kerneltest.Need
	make  func(w *world) (check func(s *seen))
}

// situations are all of the zoo. Those with a test of their own are in crowd_test.go: a thousand namespaces, namespaces that
// vanish and processes that end while they are read, garbage in the directories; and what nothing visible holds needs a look
// at the kernel's own list (TestHidden).
func situations() []situation {
	return slices.Concat(names(), holders(), links(), wires(), contents())
}

// TestZoo makes all situations in one world, takes one snapshot, and looks for each of them in it.
func TestZoo(t *testing.T) {
	w := begin(t)
	all := situations()
	if len(all) < 40 {
		t.Errorf("only %d situations", len(all))
	}
	checks := make([]func(*seen), len(all))
	for i, s := range all {
		t.Run("make/"+s.name, func(sub *testing.T) {
			kerneltest.Need(sub, s.needs...)
			checks[i] = s.make(w)
		})
	}
	if t.Failed() {
		t.FailNow()
	}
	snap, err := open(t).Snapshot(t.Context(), warren.SnapshotOptions{Conntrack: true})
	if err != nil {
		t.Fatal(err)
	}
	list := warren.Listing(snap, true)
	for i, s := range all {
		if checks[i] != nil {
			t.Run("see/"+s.name, func(sub *testing.T) { checks[i](&seen{sub, snap, list}) })
		}
	}
	t.Run("see/lsns", func(sub *testing.T) { asLsns(&seen{sub, snap, list}) })
}

// asLsns: every namespace that lsns sees is there, with as many processes.
func asLsns(s *seen) {
	kerneltest.Need(s.T, "exec:lsns")
	var others struct {
		Namespaces []struct {
			NS     uint64 `json:"ns"`
			NProcs int    `json:"nprocs"`
		} `json:"namespaces"`
	}
	witness(s.T, &others, "lsns", "-J", "-t", "net", "-o", "NS,NPROCS")
	for _, o := range others.Namespaces {
		i := slices.IndexFunc(s.snap.Namespaces, func(n state.Namespace) bool { return n.Inode == o.NS })
		if i < 0 {
			s.Errorf("lsns sees %d", o.NS)
			continue
		}
		n, whole := &s.snap.Namespaces[i], 0
		for _, h := range n.Holders {
			if h.Kind == "process" {
				whole++
			}
		}
		if n.Name != state.HostNS && whole != o.NProcs { // lsns itself is in the host's
			s.Errorf("%s has %d processes, lsns says %d", n.Name, whole, o.NProcs)
		}
	}
}
