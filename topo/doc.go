// Package topo is the lab file: a small language for networks of namespaces, and what it means.
//
// [Parse] reads a file into a [Lab], the canonical and typed form in which every shorthand is written out and every
// default is filled in. The same value can be built in Go:
//
//	lab := &topo.Lab{
//		Name: "pair",
//		Nets: []topo.Net{
//			{Name: "lan", Members: []topo.Member{{Node: "h1"}, {Node: "r"}}},
//			{Name: "wan", Members: []topo.Member{{Node: "r"}, {Node: "h2"}}},
//		},
//		Nodes:  []topo.Node{{Name: "r", NAT: []topo.NAT{{To: "wan"}}}},
//		Checks: []topo.Check{topo.MustCheck("h1 can ping h2")},
//	}
//	x, err := topo.Expand(lab, topo.Inputs{})
//
// A zero field means the default. [Expand] turns a Lab into what has to exist: [state.Desired] for the kernel, and names,
// services and checks for those who run the lab. It chooses addresses, routes, names and MAC addresses.
//
// The order of keys in a file does not matter, with one exception, the order of mention: nets are numbered in the order in
// which they stand in the file (nets first, then links), and the members of a net in the order of its list. Only what is
// chosen automatically depends on it; fixed prefixes and addresses do not.
//
// [Format] normalises a file and keeps its comments; [FormatExpanded] prints a Lab with nothing left out; [Schema] is the
// JSON schema for editors. Parser and schema are made from one table.
//
// The package is pure: no kernel, no files, no clock.
package topo
