package warren_test

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
	"warren/netns"
)

// TestDownFindsLatecomers lets a program enter a node after Down has looked for processes, and before the name is gone.
func TestDownFindsLatecomers(t *testing.T) {
	kerneltest.LeakCheck(t)
	if _, err := up(t, labFile(t, "name: late\nnets:\n  n: [a, b]\n"), nil); err != nil {
		t.Fatal(err)
	}
	var late *exec.Cmd
	w := open(t, warren.Options{Point: func(name string) {
		if name != "processes ended" || late != nil {
			return
		}
		h, err := netns.OpenPath(netns.Dir + "/late.a")
		if err != nil {
			t.Error(err)
			return
		}
		defer h.Close()
		if err := h.Do(func() error {
			late = exec.CommandContext(t.Context(), "sleep", "1000")
			return late.Start()
		}); err != nil {
			t.Error(err)
		}
	}})
	report, err := w.Down(t.Context(), "late", warren.DownOptions{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if report.Processes != 1 {
		t.Errorf("%d processes ended, want the one that came late", report.Processes)
	}
	var status *exec.ExitError
	if err := late.Wait(); !errors.As(err, &status) || status.ExitCode() != -1 {
		t.Errorf("the latecomer: %v, want that a signal ended it", err)
	}
	nothingLeft(t)
}
