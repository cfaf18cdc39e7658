package warren_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"warren"
	"warren/internal/kerneltest"
	"warren/plan"
)

// TestErrorAtEveryStep makes the adapter fail before every single step of a first up, and of an up that changes a lab.
// Everything must be as before, and the report must say so.
func TestErrorAtEveryStep(t *testing.T) {
	kerneltest.LeakCheck(t)
	before := labFile(t, killLab)
	after := filepath.Join(t.TempDir(), "warren.yaml")
	changed := `
name: kill
nets:
  up: {cidr: 10.77.0.0/24, nodes: [a, b, f], uplink: true}
  in: [a, c, d]
  pp: [c, e, d]
nodes:
  a: {publish: ["7781:80"], sysctl: {net.ipv4.ip_default_ttl: 66}}
  b: {in: [tcp 23 from up]}
  c: {nat: pp}
`
	if err := os.WriteFile(after, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("first", func(t *testing.T) { failEverywhere(t, before) })
	if _, err := up(t, before, nil); err != nil {
		t.Fatal(err)
	}
	t.Run("change", func(t *testing.T) { failEverywhere(t, after) })
	w := open(t, warren.Options{})
	if _, err := w.Down(t.Context(), "kill", warren.DownOptions{}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
}

var errInjected = errors.New("injected")

func failEverywhere(t *testing.T, file string) {
	t.Helper()
	kernelBefore := dumpLab(t)
	for n := 0; ; n++ {
		report, err := up(t, file, func(i int, _ plan.Step) error {
			if i == n {
				return errInjected
			}
			return nil
		})
		if err == nil {
			if n < 10 {
				t.Errorf("only %d steps", n)
			}
			t.Logf("failed at each of %d steps", n)
			return
		}
		if !errors.Is(err, errInjected) {
			t.Fatalf("step %d: %v", n, err)
		}
		if report.Steps != n || report.Undone != n || len(report.NotUndone) > 0 {
			t.Errorf("failed before step %d: the report says %d done, %d undone, %q not undone (%v)", n, report.Steps, report.Undone, report.NotUndone, err)
		}
		if now := dumpLab(t); now != kernelBefore {
			t.Fatalf("failed at step %d, and the world is not as before:\n%s", n, diffLines(kernelBefore, now))
		}
	}
}

// up brings a lab up in this process. Without an error to inject it must not fail.
func up(t *testing.T, file string, inject func(int, plan.Step) error) (*warren.UpReport, error) {
	t.Helper()
	lab, err := warren.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, warren.Options{BeforeStep: inject})
	report, err := w.Up(t.Context(), lab, warren.UpOptions{NoServices: true, NoChecks: true})
	if err != nil && inject == nil {
		t.Fatal(err)
	}
	return report, err
}

func open(t *testing.T, o warren.Options) *warren.Warren {
	t.Helper()
	w, err := warren.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// dumpLab is what third parties can say about the host and every named namespace, without what the kernel chooses anew
// each time (indexes) or counts.
func dumpLab(t *testing.T) string {
	t.Helper()
	one := func(in string) string {
		return fmt.Sprintf(`
%[1]s ip -d -o link | sed -E 's/^[0-9]+: //; s/@if[0-9]+/@if/; s/link-netns(id)? [^ ]+//g; s/\w+_timer +[0-9.]+//g; s/NO-CARRIER,//; s/,LOWER_UP//; s/ state [A-Z]+ / /; s/designated_(port|cost|bridge|root) [^ ]+//g; s/port_(no|id) [^ ]+//g; s/bridge_id [^ ]+//; s/state forwarding//; s/NO-CARRIER,//; s/state (UP|DOWN|LOWERLAYERDOWN) mode//; s/qlen [0-9]+//; s/ +/ /g' | sort
%[1]s ip -o addr | sed -E 's/^[0-9]+: //; s/valid_lft.*//' | sort
%[1]s ip route show table all | sort; %[1]s ip -6 route show table all | grep -v '^multicast' | sed 's/pref medium//' | sort; %[1]s ip rule
%[1]s nft -s list ruleset | sed -E 's/# handle [0-9]+//'
%[1]s sysctl net.ipv4.ip_forward net.ipv4.ip_default_ttl net.ipv6.conf.default.disable_ipv6
`, in)
	}
	script := "ls -1 /run/netns 2>/dev/null | sort\n" + one("") + `
for n in $(ls -1 /run/netns 2>/dev/null); do echo "== $n"
` + one("nsenter --net=/run/netns/$n") + "\ndone\n"
	return sh(t, script)
}
