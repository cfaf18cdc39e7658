// Package nl is warren's netlink transport (netlink(7), linux/netlink.h): it sends requests over a socket that was opened
// elsewhere, many in one datagram, and matches what the kernel answers.
//
// What it adds to a bare socket:
//   - many requests in a datagram, each with its own acknowledgement, matched by sequence number ([Conn.Batch],
//     [Conn.Exchange], [Conn.Transact]);
//   - the kernel's own words (extended acknowledgement, Linux 4.12) in every error ([Error]);
//   - dumps that are consistent or say that they are not: the kernel marks a dump that a change cut in two with a flag on
//     any of its messages, the final one included. Such a dump is repeated a few times, then returned together with
//     [ErrInconsistent];
//   - answers of any size: the size of a datagram is asked for before it is read;
//   - strict checking of requests (Linux 4.20), so that a filter which the kernel does not know is an error;
//   - notifications ([Subscription]) that say when some were lost ([ErrResync]).
//
// The package knows nothing of what is inside a message. Messages, header types and flags, and the attribute decoder are
// those of github.com/mdlayher/netlink; its connection is not used.
//
// The kernel works on a request while it is being sent: when the send returns, the answers (of a dump, the first part) wait
// in the socket. So nothing here ever waits for the kernel in the usual case, and a missing answer is found at once.
package nl
