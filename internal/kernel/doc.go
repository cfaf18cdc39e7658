// Package kernel is the thin adapter between values and the running kernel: Observe turns namespaces into a
// [state.Snapshot], Apply carries out the steps of a plan.
//
// It decides nothing. What to read is in the query, what to do and in which order is in the plan; here neighbouring
// steps are put together into as few system calls as possible, and what the kernel answers is told apart again, step by
// step. The wire formats are in internal/rtnl and internal/nft, the transport is internal/nl, and the visits to
// namespaces are netns's: this package opens sockets inside of them and works from outside.
//
// It needs CAP_SYS_ADMIN and CAP_NET_ADMIN in the user namespace that owns the network namespaces, and Linux 5.14
// (SO_NETNS_COOKIE). See network_namespaces(7), rtnetlink(7), netlink(7).
package kernel
