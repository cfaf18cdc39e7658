package warren

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"warren/netns"
	"warren/state"
)

// A Target is a namespace that a command names.
type Target struct {
	NS   string // key, or the form that netns.Open takes
	Ref  string // what netns.Open takes
	Lab  string // "" when it is no lab's node
	Node string
}

// Resolve finds the namespace that a person means: a name below /run/netns, LAB.NODE, NODE alone while only one lab has
// it, "host", or any other form that [netns.Open] knows. lab narrows it to one lab; "" = any. Errors: ErrNotExist,
// ErrAmbiguous. It reads one directory and nothing of the kernel's.
func (w *Warren) Resolve(lab, name string) (Target, error) {
	if name == state.HostNS {
		return Target{NS: name, Ref: name}, nil
	}
	if strings.ContainsAny(name, ":/") {
		return Target{NS: name, Ref: name}, nil
	}
	if lab != "" {
		key := name
		if !strings.HasPrefix(name, lab+".") {
			key = lab + "." + name
		}
		if exists(filepath.Join(netns.Dir, key)) {
			return target(key), nil
		}
		return Target{}, fmt.Errorf("node %q of lab %q: %w (hint: warren status %s lists the nodes)", name, lab, ErrNotExist, lab)
	}
	if err := state.CheckName(name, 255); err != nil {
		return Target{}, fmt.Errorf("namespace: %w", err)
	}
	if exists(filepath.Join(netns.Dir, name)) {
		return target(name), nil
	}
	entries, err := os.ReadDir(netns.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Target{}, fmt.Errorf("find namespace %q: %w", name, err)
	}
	var found []string
	for _, e := range entries {
		if l, node, ok := strings.Cut(e.Name(), "."); ok && l != "" && node == name {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		return Target{}, fmt.Errorf("namespace %q: %w (hint: warren ls shows what there is)", name, ErrNotExist)
	case 1:
		return target(found[0]), nil
	}
	return Target{}, fmt.Errorf("node %q %w: %s (hint: name the lab too, as %s)", name, ErrAmbiguous, strings.Join(found, ", "), found[0])
}

func target(key string) Target {
	t := Target{NS: key, Ref: key}
	t.Lab, t.Node, _ = strings.Cut(key, ".")
	if t.Node == "" {
		t.Lab = ""
	}
	return t
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
