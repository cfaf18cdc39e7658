// Package sockdiag reads the sockets of a network namespace (sock_diag(7)): internet, unix, packet, netlink and vsock ones,
// and finds the processes that have them open.
//
// It is a codec, pure bytes to values and back ([Inet], [Unix], [Packet], [Netlink], [Vsock]), a thin reader over a
// NETLINK_SOCK_DIAG connection ([ReadInet] and so on) which may have been opened in any namespace, and on top of both
// [Sockets], which gives the values of package state, and [FindOwners], which walks over /proc once for the sockets of all
// namespaces.
//
// The messages are those of linux/inet_diag.h, unix_diag.h, packet_diag.h, netlink_diag.h and vm_sockets_diag.h. A family that
// the kernel was built without gives [ErrNoDiag]; raw sockets are then read from /proc/net/raw and raw6 ([ReadRawFile]).
// Nothing here kills sockets (SOCK_DESTROY) or follows their ends.
package sockdiag
