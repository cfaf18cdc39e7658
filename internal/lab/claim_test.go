package lab_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/lab"
)

// TestClaims: a node is abandoned when the claim's process has let go of it without a word, and not before.
func TestClaims(t *testing.T) {
	r := lab.RunDir{Path: t.TempDir()}
	lock, err := r.Lock(t.Context(), "x", lab.LockOptions{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	dir := lock.Dir()
	want := func(nodes ...string) {
		t.Helper()
		got, err := dir.Abandoned()
		if diff := cmp.Diff(nodes, got); err != nil || diff != "" {
			t.Errorf("abandoned: %v (-want +got):\n%s", err, diff)
		}
	}
	want()
	a, err := dir.Claim("a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := dir.Claim("b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Claim("a"); err == nil {
		t.Error("a node was claimed twice")
	}
	want()
	a.Drop()
	a.Close()
	b.Close()
	want("b")
	dir.DropClaims([]string{"b", "gone"})
	want()
	if _, err := dir.Claim("../a"); err == nil {
		t.Error("a claim on what is no node's name")
	}
	var none *lab.Claim
	none.Drop()
	none.Close()
}
