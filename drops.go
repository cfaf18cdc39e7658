package warren

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"warren/internal/drops"
	"warren/reach"
	"warren/state"
)

// DropsOptions of [Warren.Drops]; the zero value will do.
type DropsOptions struct {
	// Namespaces are keys; none = all.
	Namespaces []string
	// Harmless tells also of drops that mean nothing: packets that were put away after they did their work.
	Harmless bool
	// Ready is called when packets are watched; nil = nobody cares.
	Ready func()
}

// A Drop is a packet that the kernel threw away.
type Drop struct {
	// NS is the key of the namespace: its name, "host" or "cookie:N"; "" = the packet belonged to none.
	NS string `json:"ns,omitempty"`
	drops.Event
	// Code and Text explain it, as far as the kernel's reason tells.
	Code reach.Code `json:"code,omitempty"`
	Text string     `json:"text,omitempty"`
}

// Drops calls f for every packet that is dropped on the whole host, until ctx ends (then it returns nil) or f fails. Errors:
// BPF is not allowed, or the kernel has no BTF.
func (w *Warren) Drops(ctx context.Context, o DropsOptions, f func(Drop) error) error {
	wanted := map[uint64]bool{}
	for _, key := range o.Namespaces {
		h, err := w.kernel.Open(ctx, key)
		if err != nil {
			return fmt.Errorf("namespace %q: %w", key, err)
		}
		wanted[h.Cookie()] = true
		_ = h.Close()
	}
	r, err := drops.Open()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = r.Close() })
	defer func() {
		if stop() {
			_ = r.Close()
		}
	}()
	if o.Ready != nil {
		o.Ready()
	}
	names := nameBook{w: w}
	for {
		e, err := r.Read()
		if ctx.Err() != nil || errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(wanted) > 0 && !wanted[e.Cookie] || !o.Harmless && e.Harmless() {
			continue
		}
		d := Drop{Event: e, NS: names.of(ctx, e.Cookie)}
		d.Code, d.Text = e.Explain()
		if err := f(d); err != nil {
			return err
		}
	}
}

// A nameBook knows namespaces by their cookies. It looks again when there is one that it does not know, but not all the time.
type nameBook struct {
	w      *Warren
	names  map[uint64]string
	looked time.Time
}

func (b *nameBook) of(ctx context.Context, cookie uint64) string {
	if cookie == 0 {
		return ""
	}
	name, ok := b.names[cookie]
	if !ok && time.Since(b.looked) > time.Second {
		b.looked = time.Now()
		if s, err := b.w.kernel.Observe(ctx, state.Query{All: true}); err == nil {
			b.names = make(map[uint64]string, len(s.Namespaces))
			for _, n := range s.Namespaces {
				if old := b.names[n.Cookie]; old == "" || n.Name == state.HostNS {
					b.names[n.Cookie] = n.Name
				}
			}
		}
		name, ok = b.names[cookie]
	}
	if !ok {
		return fmt.Sprintf("cookie:%d", cookie)
	}
	return name
}
