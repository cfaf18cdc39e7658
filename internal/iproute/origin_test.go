package iproute_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warren/internal/iproute"
	"warren/netns"
)

// own runs a line under our own name; links whose name begins with "hw" are taken for hardware.
func own(t *testing.T, line string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := iproute.Main(strings.Fields(line), iproute.Warren, iproute.Stdio{In: strings.NewReader(""), Out: &out, Err: &errs}, iproute.Deps{
		Context: t.Context(), Outlives: func(name, _ string) bool { return strings.HasPrefix(name, "hw") },
	})
	return result{code, out.String(), errs.String()}
}

// TestReturn: a physical device goes back to where it came from when its namespace is deleted, step by step; of a move that
// was not ours that is not known, and is said.
func TestReturn(t *testing.T) {
	leakCheck(t)
	dir := t.TempDir()
	t.Setenv("WARREN_RUN_DIR", dir)
	for _, name := range []string{"ra", "rb", "rc", "rd"} {
		twin(t, name)
	}
	t.Cleanup(func() {
		for _, name := range []string{"ra", "rb", "rc", "rd"} {
			_ = netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+name) // some are gone already
		}
	})
	ok := func(line string) result {
		t.Helper()
		r := own(t, line)
		if r.Code != 0 {
			t.Fatalf("%s: %+v", line, r)
		}
		return r
	}
	in := func(name, dev string) {
		t.Helper()
		if r := own(t, "-n "+name+" link show "+dev); r.Code != 0 {
			t.Fatalf("%s is not in %s: %+v", dev, name, r)
		}
	}
	notes := func() int {
		t.Helper()
		list, err := filepath.Glob(dir + "/.origins/*")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}

	ok("-n ra link add hw0 type veth peer name v0")
	ok("-n ra link set hw0 netns rb name hw1")
	ok("-n rb link set hw1 netns rc")
	if r := ok("netns delete rc --return"); r.Err != "" {
		t.Errorf("to a known place: said %q", r.Err)
	}
	in("rb", "hw1")
	ok("netns delete rb --return")
	in("ra", "hw1")
	if n := notes(); n != 0 {
		t.Errorf("%d files are left behind", n)
	}

	// A place on the way that is gone is passed over; going back by hand is no way on.
	twin(t, "rb")
	twin(t, "rc")
	ok("-n ra link set hw1 netns rb")
	ok("-n rb link set hw1 netns rc")
	ok("-n rc link set hw1 netns rb")
	ok("-n rb link set hw1 netns rc")
	ok("netns delete rb --wait")
	ok("netns delete rc --return")
	in("ra", "hw1")
	if n := notes(); n != 0 {
		t.Errorf("%d files are left behind", n)
	}

	// A move by somebody else, and a note about another device, are not believed.
	if r := theirs(t, "", "ip", "-n", "ra", "link", "set", "hw1", "netns", "rd"); r.Code != 0 {
		t.Fatal(r)
	}
	if r := own(t, "netns delete rd"); r.Code != 0 || !strings.Contains(r.Err, "hw1 is no virtual device") {
		t.Errorf("without --return: %+v", r)
	}
	twin(t, "rd")
	ok("-n ra link add hw2 type veth peer name v2")
	if r := theirs(t, "", "ip", "-n", "ra", "link", "set", "hw2", "netns", "rd"); r.Code != 0 {
		t.Fatal(r)
	}
	if r := ok("netns delete rd --return"); !strings.Contains(r.Err, "hw2: it is not known where it came from") {
		t.Errorf("moved by somebody else: %+v", r)
	}
	ok("link show hw2")
	ok("link del hw2")
	if _, err := os.Stat(dir + "/.origins"); err == nil {
		t.Error("the folder is left behind")
	}
}
