// Package forward passes on what comes to a socket: streams ([TCP]) and datagrams ([UDP]). It is for ports that the kernel
// cannot translate. How the other side is reached is the caller's: a dial function gets the address of who sent it.
package forward
