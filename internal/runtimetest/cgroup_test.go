package runtimetest_test

import (
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
func hierarchies() ([]hierarchy, error) {
	b, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return nil, err
	}
	var out []hierarchy
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		w := strings.Fields(line)
		h := hierarchy{dir: w[4], kind: w[len(w)-3], options: strings.TrimPrefix(w[len(w)-1], "rw,")}
		if h.kind != "cgroup" && h.kind != "cgroup2" || seen[h.kind+h.options] {
			continue
		}
		seen[h.kind+h.options] = true
		out = append(out, h)
	}
	return out, nil
}

// runEnv tells the number of a run's outermost process. Control groups are the machine's: those of a run are named after it.
const (
	runEnv      = "WARREN_RUNTIMETEST"
	groupPrefix = "warren-runtimetest-"
)

// sweep removes the groups of this run and of those that were killed, from outside of their worlds: their processes are gone.
func sweep() error {
	list, err := hierarchies()
	for _, h := range list {
		dirs, globErr := filepath.Glob(filepath.Join(h.dir, groupPrefix+"*"))
		err = errors.Join(err, globErr)
		for _, dir := range dirs {
			run, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), groupPrefix), "-")
			if _, alive := os.Stat("/proc/" + run); run == os.Getenv(runEnv) || errors.Is(alive, fs.ErrNotExist) {
				err = errors.Join(err, removeGroup(dir))
			}
		}
	}
	return err
}

// groups makes a group for an engine in every hierarchy. At the end of the test every process in them is ended, by its
// number, and they are removed with all that the engine has made below.
func groups(t testing.TB, name string) []string {
	t.Helper()
	list, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	t.Cleanup(func() { removeGroups(t, dirs) })
	for _, h := range list {
		dir := filepath.Join(h.dir, groupPrefix+os.Getenv(runEnv)+"-"+name)
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
