package kernel

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

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
	// Hidden lets a query for everywhere list namespaces that nothing visible holds even where not all processes are to
	// be seen (in a PID namespace), and nearly all of the machine's would be such.
	Hidden bool
}

// A Kernel observes and changes the running kernel. It may be used by several goroutines; who serialises changes to a lab
// is the caller's business (a lock).
type Kernel struct {
	cfg Config

	mu     sync.Mutex
	probed map[string]error    // feature -> nil or what is missing
	behind map[viewerID]string // key of the namespace that was last seen behind an id
	hints  map[string]string   // key "cookie:N" -> path that last led there
	roster roster
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
func (k *Kernel) Close() error {
	k.Rest()
	return nil
}

// Open opens the namespace of a key. One that does not exist, or whose name was left half-made, is netns.ErrNotExist or
// netns.ErrNotNamespace.
func (k *Kernel) Open(ctx context.Context, key string) (*netns.Handle, error) {
	p, err := k.place(key)
	if err != nil {
		return nil, &OpError{Op: "open", Object: "namespace", NS: key, Err: err}
	}
	return k.openPlace(ctx, p)
}

func (k *Kernel) openPlace(ctx context.Context, p place) (*netns.Handle, error) {
	switch {
	case p.handle != nil:
		return p.handle, nil
	case p.found != nil && p.found.Handle == nil:
		return nil, p.found.Err
	case p.found != nil:
		return p.found.Handle, nil
	case p.key == state.HostNS:
		return netns.Current()
	case p.path != "":
		return netns.OpenPath(p.path)
	case strings.HasPrefix(p.ref, "cookie:"):
		return k.openCookie(ctx, p.ref)
	}
	return netns.Open(ctx, p.ref)
}

// openCookie goes the way that led there before, else by names, mounts and processes, else by all that can be found.
func (k *Kernel) openCookie(ctx context.Context, ref string) (*netns.Handle, error) {
	k.mu.Lock()
	hint := k.hints[ref]
	k.mu.Unlock()
	if hint != "" {
		if h, err := netns.OpenPath(hint); err == nil {
			if "cookie:"+strconv.FormatUint(h.Cookie(), 10) == ref {
				return h, nil
			}
			_ = h.Close()
		}
	}
	h, err := netns.Open(ctx, ref)
	if !errors.Is(err, netns.ErrNotExist) {
		return h, err
	}
	places, _, surveyErr := k.survey(ctx, state.Query{}, nil)
	if surveyErr != nil {
		return nil, surveyErr
	}
	var got *netns.Handle
	for _, p := range places {
		if "cookie:"+strconv.FormatUint(p.found.Cookie, 10) == ref && p.found.Handle != nil {
			got = p.found.Handle
		} else {
			_ = p.found.Close()
		}
	}
	if got == nil {
		return nil, err
	}
	return got, nil
}

func (k *Kernel) hint(ref, path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hints == nil || len(k.hints) > 1<<14 {
		k.hints = map[string]string{}
	}
	k.hints[ref] = path
}
