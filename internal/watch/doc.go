// Package watch tells what happens to the network namespaces of a host while it happens: one is made, named, entered, gone;
// links, addresses, routes and rules come, change and go, in every namespace, also in those that appear later.
//
// Where it listens:
//   - one rtnetlink socket in our own namespace hears all others (NETLINK_LISTEN_ALL_NSID, Linux 4.2), as far as they have an
//     id here; those that have none are given one (RTM_NEWNSID). A socket in each of them would do without that, but it would
//     keep them alive: they would never end while somebody watches;
//   - the end of a namespace is told by the loss of its id (RTNLGRP_NSID);
//   - names by inotify(7);
//   - who made or entered a namespace by BPF programs at the exits of unshare(2), setns(2), clone(2) and clone3(2). They sit on the
//     raw tracepoints sys_enter and sys_exit and compare the thread's namespace before and after. Where BPF is not allowed
//     (CAP_BPF and CAP_PERFMON, a kernel with BTF) nobody is named, and namespaces without a name are looked for once a second.
//
// When the kernel had to drop notifications (ENOBUFS) everything is read anew, and what changed meanwhile is told.
//
// See rtnetlink(7), netlink(7), inotify(7), bpf(2), and net/core/net_namespace.c for ids.
package watch
