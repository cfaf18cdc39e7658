package runtimetest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// patience is how long anything may take on a busy machine.
const patience = time.Minute

// A hierarchy is a mounted hierarchy of control groups.
type hierarchy struct {
	dir, kind, options string
}

// hierarchies lists them, the first mount of each.
func hierarchies(t testing.TB) []hierarchy {
	t.Helper()
	f, err := os.Open("/proc/thread-self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []hierarchy
	seen := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		w := strings.Fields(s.Text())
		h := hierarchy{dir: w[4], kind: w[len(w)-3], options: strings.TrimPrefix(w[len(w)-1], "rw,")}
		if h.kind != "cgroup" && h.kind != "cgroup2" || seen[h.kind+h.options] {
			continue
		}
		seen[h.kind+h.options] = true
		out = append(out, h)
	}
	return out
}

// groups makes a group for an engine in every hierarchy. At the end of the test every process in them is ended, by its
// number, and they are removed with all that the engine has made below.
func groups(t testing.TB, name string) []string {
	t.Helper()
	var dirs []string
	t.Cleanup(func() { removeGroups(t, dirs) })
	for _, h := range hierarchies(t) {
		dir := filepath.Join(h.dir, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // empty in a new group of version 1
			b, err := os.ReadFile(filepath.Join(h.dir, file))
			if err != nil || h.kind != "cgroup" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if dirs == nil {
		t.Fatal("no control groups are mounted")
	}
	return dirs
}

func removeGroups(t testing.TB, dirs []string) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		var left []string
		for _, dir := range dirs {
			for _, pid := range members(dir) {
				left = append(left, strconv.Itoa(pid))
				_ = unix.Kill(pid, unix.SIGKILL) // gone meanwhile, or about to
			}
		}
		if left != nil {
			return fmt.Errorf("processes that do not end: %v", left)
		}
		return nil
	})
	for _, dir := range dirs {
		kerneltest.Eventually(t, patience, func() error { return removeGroup(dir) })
	}
}

// members are the processes of a group and of those below it.
func members(dir string) (pids []int) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() != "cgroup.procs" {
			return nil // it went away
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for line := range strings.Lines(string(b)) {
			if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 1 {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids
}

// removeGroup removes a group and those below it, the deepest first.
func removeGroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			err = errors.Join(err, removeGroup(filepath.Join(dir, e.Name())))
		}
	}
	if err == nil {
		err = unix.Rmdir(dir)
	}
	return err
}
