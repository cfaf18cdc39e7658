// Package state holds the values that everything else in warren is a function of: what a network namespace contains
// (links, addresses, routes, rules, neighbours, forwarding entries, firewall, sysctls, sockets), as observed
// ([Snapshot]) and as wanted ([Desired]). Both sides are made of the same small values, so that a difference between
// them can be computed, printed and serialised.
//
// The package is pure: plain data, no kernel, no files, no clock. Objects refer to each other by name, not by index
// (a route names its link, a link names its master and its peer), because an index means nothing outside of the
// namespace and the moment in which it was read. Where the kernel's index is known it is kept beside the name.
//
// Names of namespaces ("NS" fields) are keys: the name below /run/netns ("classic.c1"), "host" for the namespace that
// warren was called from, "LAB.@NAME" for a lab's hidden namespace, "cookie:N" for one without a name.
//
// Words follow rtnetlink(7), ip(8), nft(8) and linux/if_link.h.
package state
