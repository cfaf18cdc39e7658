// Package plan computes what has to be done to get from a [state.Snapshot] to a [state.Desired]: an ordered list of
// steps that are data. A plan prints (as words, as JSON, as the ip, sysctl and nft lines a person would have typed),
// compares, serialises and can be inverted. The package is pure.
//
// # Order
//
// A plan goes through phases, never node by node, so that whoever carries it out can send neighbouring steps together
// and no link comes up while others are still made:
//
//	elements and tables that go; then, namespace by namespace, what else goes (fdb, neighbours, rules, routes, addresses, ports)
//	namespaces that go, one after the other; after the last one of such a run, wait until the kernel is done with all
//	links that go
//	namespaces that come, each followed by those of its sysctls that need no link
//	bridges (down)
//	cables (end A is born up and enslaved; end B cannot be)
//	other links (down)
//	per namespace, in one run: sysctls of links, changes of links, addresses, links up, routes, rules, neighbours, fdb;
//	  nodes first, then hidden namespaces, then those that are not the lab's: so bridges come up after the nodes' links
//	tables
//	elements of shared tables
//
// # Ownership
//
// In a namespace of the lab's own (marked) our links carry the group [state.LinkGroup] (Diff adds it to every link it
// makes that declares no group), our addresses, routes, rules and neighbours the number [state.Protocol] (Diff adds it
// too). Marked and no longer declared is deleted; not marked and not declared is left alone and listed in [Plan.Other].
// In other namespaces ("host") our links carry an altname that starts with "warren.LAB.", and elements of the shared
// table a comment that starts with "LAB/".
package plan
