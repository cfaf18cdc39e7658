package kernel_test

import (
	"context"
	"errors"
	"testing"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/internal/kerneltest/contract"
	"warren/netns"
)

func TestContract(t *testing.T) {
	leakCheck(t)
	dir := t.TempDir()
	contract.Run(t, func(testing.TB) contract.Kernel { return kernel.New(kernel.Config{RunDir: dir}) })
}

func TestProperties(t *testing.T) {
	leakCheck(t)
	dir := t.TempDir()
	contract.Properties(t, func(testing.TB) contract.Kernel { return kernel.New(kernel.Config{RunDir: dir}) }, 3)
}

// leakCheck is kerneltest.LeakCheck, after a first namespace was made: with it the directory of names becomes a mount for
// good, as with ip-netns(8).
func leakCheck(t testing.TB) {
	t.Helper()
	h, err := netns.Create(context.Background(), netns.Dir+"/first", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Close(), netns.Delete(context.Background(), netns.Dir+"/first")); err != nil {
		t.Fatal(err)
	}
	kerneltest.LeakCheck(t)
}
