package kernel

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"warren/netns"
	"warren/state"
)

// maxFileName is NAME_MAX: the names of namespaces are names of files.
const maxFileName = 255

// A place is where the namespace of a key is found.
type place struct {
	key  string
	path string // mount point, "" when the key is not a name
	ref  string // reference for netns.Open, when path is ""
	// found is what a survey of the host told; its handle is open, or says why not.
	found *netns.Found
	// handle is open already.
	handle *netns.Handle
}

// place resolves a key. It looks at nothing but the key: whether the namespace exists is found out by opening it.
func (k *Kernel) place(key string) (place, error) {
	switch {
	case key == state.HostNS:
		return place{key: key, ref: "host"}, nil
	case filepath.IsAbs(key):
		return place{key: key, ref: key}, nil
	}
	if form, _, ok := strings.Cut(key, ":"); ok && slices.Contains([]string{"pid", "id", "cookie", "container"}, form) {
		return place{key: key, ref: key}, nil
	}
	if lab, name, ok := strings.Cut(key, ".@"); ok {
		if err := state.CheckLabName(lab); err != nil {
			return place{}, fmt.Errorf("key %q: lab %w", key, err)
		}
		if err := state.CheckLabName(name); err != nil {
			return place{}, fmt.Errorf("key %q: hidden namespace %w", key, err)
		}
		return place{key: key, path: filepath.Join(k.cfg.RunDir, lab, name)}, nil
	}
	if err := state.CheckName(key, maxFileName); err != nil {
		return place{}, fmt.Errorf("namespace %w", err)
	}
	return place{key: key, path: filepath.Join(k.cfg.NetnsDir, key)}, nil
}

// hiddenKey is the key of the hidden namespace kept in a file of a lab's directory.
func hiddenKey(lab, file string) string { return lab + ".@" + file }
