package netns_test

import (
	"context"
	"errors"
	"testing"

	"warren/internal/kerneltest"
	"warren/netns"
)

func TestAttach(t *testing.T) {
	first, err := netns.Create(t.Context(), netns.Dir+"/first", nil) // the directory and its mount stay
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the check
		first.Close()
		if err := netns.Delete(context.Background(), netns.Dir+"/first"); err != nil {
			t.Error(err)
		}
	})
	kerneltest.LeakCheck(t)
	h, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	path := netns.Dir + "/attached"
	if err := netns.Attach(t.Context(), path, h); err != nil {
		t.Fatal(err)
	}
	other, err := netns.Open(t.Context(), "attached")
	if err != nil {
		t.Fatal(err)
	}
	if !other.Same(h) {
		t.Error("the name leads to another namespace")
	}
	other.Close()
	if err := netns.Attach(t.Context(), path, h); !errors.Is(err, netns.ErrExist) {
		t.Errorf("second time: got %v, want ErrExist", err)
	}
	if err := netns.Delete(t.Context(), path); err != nil {
		t.Error(err)
	}
}
