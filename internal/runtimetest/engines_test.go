package runtimetest_test

import (
	"testing"

	"warren/internal/kerneltest"
)

// TestEngines starts every engine at the same time: what warren says of one has nothing to do with the others.
func TestEngines(t *testing.T) {
	kerneltest.LeakCheck(t)
	if _, err := program(); err != nil {
		t.Fatal(err)
	}
	t.Run("e", func(t *testing.T) { // ends when all of them have
		for name, test := range map[string]func(*testing.T){
			"docker":     func(t *testing.T) { testDocker(t, "nft", "/usr/sbin/xtables-nft-multi", "nft ") },
			"legacy":     func(t *testing.T) { testDocker(t, "old", "/usr/sbin/xtables-legacy-multi", "legacy ") },
			"cni":        func(t *testing.T) { testPodman(t, "cni", "cni", "cni-podman") },
			"netavark":   func(t *testing.T) { testPodman(t, "nav", "netavark", "podman") },
			"containerd": testContainerd,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t)
			})
		}
	})
}
