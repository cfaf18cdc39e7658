package warren

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"warren/netns"
	"warren/state"
)

// List tells the named namespaces of the host, ours and others', sorted by name. What could not be read is left empty in
// its line and named in the error, which comes with the list.
func (w *Warren) List(ctx context.Context) ([]NamespaceInfo, error) {
	entries, err := netns.List("")
	if err != nil {
		return nil, err
	}
	snap, err := w.kernel.Observe(ctx, state.Query{All: true, Parts: state.PartAddrs | state.PartLinks | state.PartProcesses})
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	out := make([]NamespaceInfo, 0, len(entries))
	for _, e := range entries {
		info := NamespaceInfo{Name: e.Name, Owner: "other", State: "ok"}
		if e.Stale {
			info.State = "stale"
		}
		if n := snap.Namespace(e.Name); n != nil {
			describe(&info, n)
			info.Created = named(e.Path)
		}
		out = append(out, info)
	}
	return out, unread(snap)
}

// named is when a name was given: the mount's file is as old as the name, unless its time was changed. Zero = not known.
func named(path string) time.Time {
	fi, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return fi.ModTime()
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
		if ip := a.Prefix.Addr(); !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
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
