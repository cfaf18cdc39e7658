package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"warren/state"
)

// DefaultRunDir is where labs are kept unless somebody says otherwise.
const DefaultRunDir = "/run/warren"

// A RunDir is the directory with one directory a lab. The zero value is DefaultRunDir.
type RunDir struct {
	// Path is absolute; "" = DefaultRunDir.
	Path string
}

func (r RunDir) path() string {
	if r.Path == "" {
		return DefaultRunDir
	}
	return r.Path
}

// Ensure makes the run directory (0755) when it does not exist.
func (r RunDir) Ensure() error {
	if err := os.MkdirAll(r.path(), 0o755); err != nil {
		return fmt.Errorf("make run directory %s: %w", r.path(), err)
	}
	return nil
}

// Labs returns the names of the labs that have a directory, sorted. A run directory that does not exist has none.
// What has no lab's name is not one.
func (r RunDir) Labs() ([]string, error) {
	entries, err := os.ReadDir(r.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list run directory %s: %w", r.path(), err)
	}
	var labs []string
	for _, e := range entries {
		if e.IsDir() && state.CheckLabName(e.Name()) == nil {
			labs = append(labs, e.Name())
		}
	}
	slices.Sort(labs)
	return labs, nil
}

// Dir returns the lab's directory for reading, whether or not it exists. Writing needs [RunDir.Lock].
func (r RunDir) Dir(lab string) (Dir, error) {
	if err := state.CheckLabName(lab); err != nil {
		return Dir{}, fmt.Errorf("lab's name: %w", err)
	}
	return Dir{lab: lab, path: filepath.Join(r.path(), lab)}, nil
}

// RemoveIfEmpty removes the run directory when nothing is left in it: no lab, no ledger. Call it under the host lock. What a
// process left that was killed while it wrote the ledger does not count.
func (r RunDir) RemoveIfEmpty() error {
	entries, err := os.ReadDir(r.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), tempPrefix) {
			if err := os.Remove(filepath.Join(r.path(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove run directory %s: %w", r.path(), err)
			}
		}
	}
	err = os.Remove(r.path())
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) || isNotEmpty(err) {
		return nil
	}
	return fmt.Errorf("remove run directory %s: %w", r.path(), err)
}

// A Dir is one lab's directory.
type Dir struct {
	lab  string
	path string
}

// Lab is the lab's name.
func (d Dir) Lab() string { return d.lab }

// Path is the directory's path.
func (d Dir) Path() string { return d.path }

// Exists reports whether the directory is there.
func (d Dir) Exists() bool {
	fi, err := os.Stat(d.path)
	return err == nil && fi.IsDir()
}

func (d Dir) file(name string) string { return filepath.Join(d.path, name) }
