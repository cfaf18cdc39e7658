package warren

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"warren/internal/kernel"
	"warren/state"
)

// List tells the named namespaces of the host, ours and others', sorted by name. What could not be read is left empty in
// its line and named in the error, which comes with the list.
func (w *Warren) List(ctx context.Context) ([]NamespaceInfo, error) {
	named, missing, err := w.kernel.Roll(ctx)
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	out := make([]NamespaceInfo, len(named))
	for i := range named {
		n := &named[i]
		info := &out[i]
		*info = NamespaceInfo{Name: n.Name, Owner: "other", State: "ok", Created: n.Namespace.Created}
		if n.Stale {
			info.State = "stale"
			continue
		}
		describe(info, &n.Namespace)
		info.Processes = n.Processes
	}
	return out, unread(state.Snapshot{Unread: missing})
}

func describe(info *NamespaceInfo, n *state.Namespace) {
	info.Cookie, info.Processes = n.Cookie, len(n.Processes)
	if !n.Mark.IsZero() {
		info.Owner, info.Lab, info.Node = "warren", n.Mark.Lab, n.Mark.Node
	}
	info.Addrs = addrsOf(n)
}

// addrsOf lists addresses as people want to see them: "lan 10.0.0.2/24", without those that every namespace has.
func addrsOf(n *state.Namespace) []string {
	var out []string
	for _, a := range n.Addrs {
		if kernel.Listed(a.Prefix.Addr()) {
			out = append(out, a.Link+" "+a.Prefix.String())
		}
	}
	slices.Sort(out)
	return out
}

// unread makes an error of what a snapshot lacks; nil when it lacks nothing.
func unread(s state.Snapshot) error {
	if len(s.Unread) == 0 {
		return nil
	}
	var b strings.Builder
	for i, u := range s.Unread {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s of %s: %s", u.Object, u.NS, u.Reason)
	}
	return fmt.Errorf("not everything could be read: %s", b.String())
}
