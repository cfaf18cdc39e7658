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
	"warren/topo"
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
	if l, node, ok := strings.Cut(name, "/"); ok && l != "" && !strings.ContainsAny(name, ":") && exists(filepath.Join(netns.Dir, l+"."+node)) {
		return Target{}, fmt.Errorf("namespace %q: %w (hint: a lab and its node are named as in %s.%s)", name, ErrNotExist, l, node)
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
		return Target{}, fmt.Errorf("node %q of lab %q: %w (hint: %s)", name, lab, ErrNotExist, w.instead(lab, name))
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
		return Target{}, fmt.Errorf("namespace %q: %w (hint: %s)", name, ErrNotExist, w.instead("", name))
	case 1:
		return target(found[0]), nil
	}
	return Target{}, fmt.Errorf("node %q %w: %s (hint: name the lab too, as %s)", name, ErrAmbiguous, strings.Join(found, ", "), found[0])
}

// instead says what somebody may have meant who named a node that is not there: another node, a lab, or one that is not up
// yet.
func (w *Warren) instead(lab, name string) string {
	entries, err := os.ReadDir(netns.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "warren ls shows what there is"
	}
	var names []string
	labs := map[string]string{} // to one of its nodes
	for _, e := range entries {
		l, node, ok := strings.Cut(e.Name(), ".")
		if ok && (lab == "" || l == lab) {
			names = append(names, node)
			labs[l] = node
		}
		if lab == "" {
			names = append(names, e.Name())
		}
	}
	near := topo.Nearest(name, names)
	switch {
	case lab == "" && labs[name] != "":
		return fmt.Sprintf("%s is a lab; its nodes are named as in %s.%s", name, name, labs[name])
	case near != "":
		return "did you mean " + near + "?"
	case len(labs) > 0 && lab != "":
		return "warren status " + lab + " lists the nodes"
	case len(labs) > 0 || len(names) > 0 && lab == "":
		return "warren ls shows what there is"
	case lab != "":
		return "the lab is not up: warren labs lists those that are"
	}
	return "no lab is up, warren up brings up the one of a file"
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
