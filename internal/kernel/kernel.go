package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"warren/netns"
	"warren/state"
)

// DefaultRunDir is where the hidden namespaces of labs have their names.
const DefaultRunDir = "/run/warren"

// Config says where names are. The zero value is what the program uses.
type Config struct {
	// NetnsDir holds the named namespaces; "" = netns.Dir.
	NetnsDir string
	// RunDir holds a directory for each lab, with its hidden namespaces; "" = DefaultRunDir.
	RunDir string
}

// A Kernel observes and changes the running kernel. It may be used by several goroutines; who serialises changes to a lab
// is the caller's business (a lock).
type Kernel struct {
	cfg Config

	mu     sync.Mutex
	probed map[string]error // feature -> nil or what is missing
}

// New returns an adapter to the running kernel. It opens nothing.
func New(cfg Config) *Kernel {
	if cfg.NetnsDir == "" {
		cfg.NetnsDir = netns.Dir
	}
	if cfg.RunDir == "" {
		cfg.RunDir = DefaultRunDir
	}
	return &Kernel{cfg: cfg, probed: map[string]error{}}
}

// Close gives back what the adapter holds between calls. It may be called more than once.
func (k *Kernel) Close() error { return nil }

// Open opens the namespace of a key. One that does not exist, or whose name was left half-made, is netns.ErrNotExist or
// netns.ErrNotNamespace.
func (k *Kernel) Open(ctx context.Context, key string) (*netns.Handle, error) {
	p, err := k.place(key)
	if err != nil {
		return nil, &OpError{Op: "open", Object: "namespace", NS: key, Err: err}
	}
	return p.open(ctx)
}

func (p place) open(ctx context.Context) (*netns.Handle, error) {
	switch {
	case p.key == state.HostNS:
		return netns.Current()
	case p.path != "":
		return netns.OpenPath(p.path)
	}
	return netns.Open(ctx, p.ref)
}

// names lists the files below NetnsDir, sorted; a directory that does not exist has none.
func (k *Kernel) names() ([]string, error) {
	entries, err := os.ReadDir(k.cfg.NetnsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
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
	keys := slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, lab+".") })
	dir := filepath.Join(k.cfg.RunDir, lab)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || state.CheckLabName(e.Name()) != nil {
			continue
		}
		// Other files of the lab's are here too. A name's file is a namespace, or was left with mode 0.
		var fs unix.Statfs_t
		var st unix.Stat_t
		path := filepath.Join(dir, e.Name())
		if unix.Statfs(path, &fs) != nil || unix.Stat(path, &st) != nil {
			continue
		}
		if fs.Type == unix.NSFS_MAGIC || st.Mode&0o777 == 0 && st.Size == 0 {
			keys = append(keys, hiddenKey(lab, e.Name()))
		}
	}
	return keys, nil
}
