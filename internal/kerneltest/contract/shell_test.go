package contract_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warren/internal/kernel"
	"warren/internal/kerneltest/contract"
	"warren/internal/nft"
	"warren/plan"
	"warren/state"
)

// TestShell has a shell, ip, sysctl and nft do what the plan says; then there is nothing left to do, and the shell form of the
// removal leaves nothing either.
func TestShell(t *testing.T) {
	labs := []contract.Lab{
		{
			Name: "sh1", Nodes: 3, Nets: []contract.Net{{Members: []int{0, 1, 2}, Bridge: true, IPv6: true, MTU: 1400, Isolated: true}, {Members: []int{0, 1}}},
			Forward: []int{0}, Default: true, Firewall: []int{0}, Holes: []int{1}, Rules: []int{2}, Static: []int{1}, RPFilter: []int{0}, Uplink: -1,
		},
		{Name: "sh2", Nodes: 2, Nets: []contract.Net{{Members: []int{0, 1}}}, Default: true, Publish: []int{0, 1}, Uplink: 0},
	}
	for _, lab := range labs {
		t.Run(lab.Name, func(t *testing.T) {
			run := t.TempDir()
			k := kernel.New(kernel.Config{RunDir: run})
			want := lab.Desired()
			diff := func() plan.Plan {
				t.Helper()
				have, err := k.Observe(context.Background(), plan.Query(want, plan.Options{}))
				if err != nil {
					t.Fatal(err)
				}
				p, err := plan.Diff(want, have, plan.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			shell(t, diff().Shell(plan.NFT{Table: nft.Text, Value: nft.Format}))
			hidden := filepath.Join("/run/netns", lab.Name+".@switch")
			at := filepath.Join(run, lab.Name, "switch")
			if _, err := os.Stat(hidden); err == nil { // a person's namespaces are all in one place
				shell(t, "mkdir -p "+filepath.Dir(at)+"; touch "+at+"; mount --bind "+hidden+" "+at+"\n")
				t.Cleanup(func() { shell(t, "umount "+at+"\n") })
			}
			if p := diff(); !p.Empty() {
				t.Errorf("after the shell there is still to do:\n%s", p.Text())
			}
			have, err := k.Observe(context.Background(), plan.Query(want, plan.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			gone := plan.Destroy(lab.Name, have)
			shell(t, gone.Shell(plan.NFT{Table: nft.Text, Value: nft.Format}))
			for _, n := range want.Namespaces {
				if _, err := os.Stat(filepath.Join("/run/netns", n.Name)); n.Name != state.HostNS && err == nil {
					t.Errorf("namespace %s is left", n.Name)
				}
			}
		})
	}
}

// shell runs a script that must not fail in any line.
func shell(t *testing.T, script string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-e") // also when the test ends
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\nof the script\n%s", err, out, script)
	}
}
