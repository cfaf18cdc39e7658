package kernel

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"warren/netns"
	"warren/state"
)

// surveyed reports whether a query wants the walk over all of the host.
func surveyed(q state.Query) bool { return q.Everywhere }

// survey finds every namespace of the host, and gives each its key. Namespaces that q names by another key keep that one.
func (k *Kernel) survey(ctx context.Context, q state.Query, sockets map[uint32]int) ([]place, []state.Unread, error) {
	all, listed := k.listAll()
	found, unread, err := netns.Survey(ctx, netns.SurveyOptions{
		Dir: k.cfg.NetnsDir, Sockets: sockets,
		Processes: q.Parts&(state.PartProcesses|state.PartOwner) != 0, Holders: q.Parts&(state.PartHolders|state.PartOwner) != 0,
	})
	if err != nil {
		return nil, nil, &OpError{Op: "read", Object: "namespaces of the host", Err: err}
	}
	if listed != nil {
		unread = append(unread, state.Unread{Object: "namespaces that nothing visible holds", Reason: listed.Error()})
	}
	found = append(found, openHidden(all, found)...)
	places := make([]place, 0, len(found))
	taken := map[string]bool{}
	for _, f := range found {
		key := k.keyOf(f)
		if key == "" || taken[key] {
			_ = f.Close()
			continue
		}
		taken[key] = true
		p := place{key: key, found: f}
		if len(f.Names) > 0 {
			p.path = filepath.Join(k.cfg.NetnsDir, f.Names[0])
		} else if len(f.Paths) > 0 {
			p.path = f.Paths[0]
		}
		places = append(places, p)
	}
	return places, unread, nil
}

// keyOf is the key of a namespace that was found, see package state.
func (k *Kernel) keyOf(f *netns.Found) string {
	if f.Self {
		return state.HostNS
	}
	if len(f.Names) > 0 {
		for _, n := range f.Names {
			if state.CheckName(n, maxFileName) == nil {
				return n
			}
		}
	}
	for _, p := range f.Paths {
		rest, ok := strings.CutPrefix(p, k.cfg.RunDir+"/")
		if lab, file, two := strings.Cut(rest, "/"); ok && two && state.CheckLabName(lab) == nil && state.CheckLabName(file) == nil {
			return hiddenKey(lab, file)
		}
	}
	if f.Cookie != 0 {
		return "cookie:" + strconv.FormatUint(f.Cookie, 10)
	}
	return "inode:" + strconv.FormatUint(f.Inode, 10)
}

// describeFound puts what the survey told into a namespace.
func (r *reading) describeFound(parts state.Parts) {
	f := r.place.found
	r.ns.Names, r.ns.Paths = f.Names, f.Paths
	r.ns.Cookie, r.ns.Inode = f.Cookie, f.Inode
	r.ns.Created, r.ns.UserNS = f.Created, f.UserNS
	if parts.Has(state.PartProcesses) {
		r.ns.Processes = f.Processes
		r.ns.Read |= state.PartProcesses
	}
	if parts.Has(state.PartHolders) {
		r.ns.Holders = f.Holders
		r.ns.Read |= state.PartHolders
	}
}

// merge adds places by key; those that the survey found win, for they are open. Namespaces that are asked for by
// another key than the survey's (a path, pid:N) are read once more under that.
func mergePlaces(surveyed, others []place) []place {
	all := slices.Concat(surveyed, others)
	slices.SortStableFunc(all, func(a, b place) int { return strings.Compare(a.key, b.key) })
	kept := all[:0]
	for _, p := range all {
		if n := len(kept); n > 0 && kept[n-1].key == p.key {
			if p.handle != nil {
				_ = p.handle.Close()
			}
			continue
		}
		kept = append(kept, p)
	}
	return kept
}
