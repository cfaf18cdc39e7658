package plan

import (
	"slices"

	"warren/state"
)

// Query says what has to be observed for [Diff] and [Destroy] of this lab: its namespaces, those of others that it uses or
// used, and always the host's, where something may be left of it.
//
// Where it is known what a namespace was made to hold (opt.Former), and it is wanted still, kinds of objects that neither
// declares are not read (PartsIn): nothing of ours can be of them. Without PartsIn all is read, for a plan that lists all
// that is there, or when the last change was not finished.
//
// The values that sysctls have in a fresh namespace are asked for where some are no longer declared.
func Query(want state.Desired, opt Options) state.Query {
	q := state.Query{Names: []string{state.HostNS}, Lab: want.Lab, Parts: state.PartsLab, SysctlKeys: map[string][]string{}}
	wanted := make(map[string]*state.DesiredNamespace, len(want.Namespaces))
	for i := range want.Namespaces {
		n := &want.Namespaces[i]
		wanted[n.Name] = n
		q.Names = append(q.Names, n.Name)
		for _, s := range n.Sysctls {
			q.SysctlKeys[n.Name] = append(q.SysctlKeys[n.Name], s.Key)
		}
	}
	if opt.Former != nil {
		q.PartsIn = make(map[string]state.Parts, len(wanted))
		for i := range opt.Former.Namespaces {
			f := &opt.Former.Namespaces[i]
			q.Names = append(q.Names, f.Name)
			if n := wanted[f.Name]; n != nil {
				q.PartsIn[f.Name] = Parts(&n.Contents) | Parts(&f.Contents)
				if !n.Owned() || covers(n.Sysctls, f.Sysctls) {
					continue
				}
			}
			askFormer(&q, f)
		}
	}
	slices.Sort(q.Names)
	q.Names = slices.Compact(q.Names)
	for ns, keys := range q.SysctlKeys {
		slices.Sort(keys)
		q.SysctlKeys[ns] = slices.Compact(keys)
	}
	return q
}

// Parts are the kinds of objects to read in a namespace that holds this.
func Parts(c *state.Contents) state.Parts {
	p := state.PartLinks | state.PartAddrs | state.PartRoutes
	if len(c.Rules) > 0 {
		p |= state.PartRules
	}
	if len(c.Neighbors) > 0 {
		p |= state.PartNeighbors
	}
	if len(c.FDB) > 0 {
		p |= state.PartFDB
	}
	if len(c.Tables) > 0 {
		p |= state.PartFirewall
	}
	return p
}

// covers reports whether all keys of former are among those of now.
func covers(now, former []state.Sysctl) bool {
	if len(former) > len(now) {
		return false
	}
	keys := make(map[string]bool, len(now))
	for _, s := range now {
		keys[s.Key] = true
	}
	return !slices.ContainsFunc(former, func(s state.Sysctl) bool { return !keys[s.Key] })
}

// askFormer asks for the sysctls that a namespace was made with, and what they are in a fresh one. A link that is new takes
// its values from the defaults.
func askFormer(q *state.Query, f *state.DesiredNamespace) {
	for _, s := range f.Sysctls {
		keys := append(q.SysctlKeys[f.Name], s.Key)
		if dev := sysctlDevice(s.Key); dev != "" {
			keys = append(keys, defaultKey(s.Key, dev))
		}
		q.SysctlKeys[f.Name] = keys
		q.Fresh = true
	}
}
