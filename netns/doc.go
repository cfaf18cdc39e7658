// Package netns makes, names, opens, enters and deletes network namespaces (network_namespaces(7)), and tells what keeps
// one alive. It is the only package of warren that locks threads, calls setns(2) or unshare(2).
//
// A name is a bind mount of a namespace on a file below [Dir], as ip-netns(8) makes it: both programs see each other's.
// Inside of a program a namespace is a [Handle], and its identity is the cookie that the kernel gave it: unlike an inode
// number it is never used again.
//
// # Threads
//
// A namespace belongs to a thread, and a goroutine changes threads when it likes. Therefore:
//
//   - Sockets cross the boundary, threads do not: open a socket inside ([Handle.Socket], [Handle.Netlink]) and use it
//     from anywhere. A socket stays in the namespace that it was made in.
//   - Every visit is made by a goroutine of its own, locked to its thread. The thread goes back to the runtime only when
//     it is verified to be home again; otherwise it ends with the goroutine.
//   - The process's main thread never enters anything: when it died in there, /proc/self would be wrong for good. A visit
//     that finds itself on it holds it fast, and goes from another thread.
//   - A goroutine started during a visit runs outside. So does much of package net: a Dial of a name with several
//     addresses, and every lookup. During a visit dial literal addresses, or just open sockets.
//   - Below /proc, "self" means the main thread; this package says "thread-self".
//
// Nothing here joins a user namespace: a Go program cannot.
package netns
