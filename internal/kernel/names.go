package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// names lists the files below NetnsDir, sorted; a directory that does not exist has none.
func (k *Kernel) names() ([]string, error) {
	entries, err := readDir(k.cfg.NetnsDir)
	var names []string
	for _, e := range entries {
		if !e.IsDir() && state.CheckName(e.Name(), maxFileName) == nil {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// readDir is os.ReadDir; a directory that does not exist is empty.
func readDir(dir string) ([]os.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// labKeys lists the keys that may be a lab's: names that start with "LAB.", and the hidden namespaces. Half-made names are
// among them.
func (k *Kernel) labKeys(lab string) ([]string, error) {
	if err := state.CheckLabName(lab); err != nil {
		return nil, err
	}
	names, err := k.names()
	if err != nil {
		return nil, err
	}
	hidden, err := k.hiddenOf(lab)
	if err != nil {
		return nil, err
	}
	return append(slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, lab+".") }), hidden...), nil
}

// hiddenKeys lists the hidden namespaces of all labs.
func (k *Kernel) hiddenKeys() ([]string, error) {
	entries, err := readDir(k.cfg.RunDir)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, e := range entries {
		if !e.IsDir() || state.CheckLabName(e.Name()) != nil {
			continue
		}
		hidden, err := k.hiddenOf(e.Name())
		if err != nil {
			return nil, err
		}
		keys = append(keys, hidden...)
	}
	return keys, nil
}

// hiddenOf lists the hidden namespaces of a lab. Other files of the lab's are in that directory too: a name's file is a
// namespace, or was left half-made, with mode 0.
func (k *Kernel) hiddenOf(lab string) ([]string, error) {
	dir := filepath.Join(k.cfg.RunDir, lab)
	entries, err := readDir(dir)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, e := range entries {
		if !e.Type().IsRegular() || state.CheckLabName(e.Name()) != nil {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if isNamespace(path) || isHalfMade(path) {
			keys = append(keys, hiddenKey(lab, e.Name()))
		}
	}
	return keys, nil
}

func isNamespace(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(path, &fs) == nil && fs.Type == unix.NSFS_MAGIC
}

func isHalfMade(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil && st.Mode == unix.S_IFREG
}

// Sweep removes the names of a lab that a killed process left half-made (no namespace is mounted on them), and returns
// their keys. The caller holds the lab's lock: nobody else makes names of this lab.
func (k *Kernel) Sweep(ctx context.Context, lab string) ([]string, error) {
	keys, err := k.labKeys(lab)
	if err != nil {
		return nil, &OpError{Op: "read", Object: "names of lab " + lab, Err: err}
	}
	var swept []string
	for _, key := range keys {
		p, err := k.place(key)
		if err != nil || !isHalfMade(p.path) || isNamespace(p.path) {
			continue
		}
		if err := netns.Delete(ctx, p.path); err != nil {
			return swept, &OpError{Op: "delete", Object: "half-made name", NS: key, Err: err}
		}
		swept = append(swept, key)
	}
	return swept, nil
}

// readMark reads the mark of the namespace that the calling thread is in; the zero Mark when it has none.
func readMark() (state.Mark, error) {
	conn, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		return state.Mark{}, err
	}
	defer conn.Close()
	r := conn.Exchange([]nl.Request{rtnl.GetLinkIndex(loopbackIndex)})[0]
	if r.Err != nil {
		return state.Mark{}, r.Err
	}
	if len(r.Messages) == 0 {
		return state.Mark{}, nil
	}
	lo, err := rtnl.DecodeLink(r.Messages[0].Data, nil)
	if err != nil {
		return state.Mark{}, err
	}
	return markOf([]state.Link{lo}), nil
}
