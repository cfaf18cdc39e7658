// Package nsock is for sockets of network namespaces that are used from outside of them: ready for Go's poller, so that waiting
// holds no thread, from any goroutine. It also reads what ICMP says of their packets.
package nsock
