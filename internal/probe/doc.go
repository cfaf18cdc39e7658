// Package probe sends real packets from inside a namespace and tells what came back: echo requests, TCP connections, UDP
// datagrams, HTTP and DNS requests, packets of a given size, and the path that they take. Everything is done by sockets
// that were opened inside ([Opener], a *netns.Handle) and are used from wherever the caller is: no thread is locked while a
// probe waits, and no other program is needed.
//
// Addresses are literal: names are resolved by the caller. An IPv6 address with a zone names an interface of the
// namespace.
//
// What "can" means, verb by verb:
//
//	ping   the target answered the echo request
//	tcp    the connection was established; nothing is sent over it
//	udp    a datagram came back. A refusal (ICMP port unreachable) is told apart from silence, but both are a no: a
//	       listener that does not answer cannot be told from a packet that was lost on the way. To port 53 the probe
//	       sends a DNS query, to others the line "warren".
//	http   a response with a status below 400, redirects followed (inside, and only to addresses that the caller's
//	       resolver knows). A certificate is not verified: the question is the network.
//	dns    the server answered the query without an error, and with a record of that name
//	mtu    an echo request of exactly that IP packet size, which must not be fragmented, was answered
//	via    one of the node's addresses is on the path, seen by echo requests whose TTL ran out there
//
// See icmp(7), ip(7) IP_RECVERR and IP_MTU_DISCOVER, RFC 792, RFC 4443, RFC 1191, RFC 8201.
package probe
