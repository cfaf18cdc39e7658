package netns_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// Rule: the main thread never enters anything, whatever happens in there. The role's own main goroutine is on it.
func TestMainThreadStaysHome(t *testing.T) {
	prepare(t)
	create(t, "main", nil)
	cmd := roleCommand(t.Context(), "main-thread", netns.Dir+"/main")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func playMainThread(args []string) int {
	fail := func(format string, a ...any) int {
		fmt.Fprintf(os.Stderr, format+"\n", a...)
		return 1
	}
	h, err := netns.OpenPath(args[0])
	if err != nil {
		return fail("%v", err)
	}
	before, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return fail("%v", err)
	}
	for i := range 300 {
		err := h.Do(func() error {
			if unix.Gettid() == unix.Getpid() {
				return errors.New("a visit is on the main thread")
			}
			if i%3 == 0 {
				return dropAdmin() // this thread dies
			}
			return nil
		})
		if err != nil {
			return fail("visit %d: %v", i, err)
		}
		if i%10 == 0 {
			if err := netns.Exec(h, []string{"/does/not/exist"}, netns.ExecOptions{}); err == nil {
				return fail("exec of nothing")
			}
		}
		for _, kind := range []string{"net", "mnt"} {
			self, err1 := os.Readlink("/proc/self/ns/" + kind)
			main, err2 := os.Readlink(fmt.Sprintf("/proc/self/task/%d/ns/%s", os.Getpid(), kind))
			if err := errors.Join(err1, err2); err != nil || self != main || kind == "net" && self != before {
				return fail("after visit %d: /proc/self is in %s, the main thread in %s, at first %s (%v)", i, self, main, before, err)
			}
		}
	}
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil || strings.Contains(string(stat), ") Z ") {
		return fail("the main thread is dead: %s (%v)", stat, err)
	}
	return 0
}
