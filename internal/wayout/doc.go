// Package wayout connects an ordinary user's world (package rootless) with the machine around it.
//
// Who is in the world cannot leave it again, so a process stays outside: the agent, this program started with a hidden first
// argument ([Main]), one for each world. It listens on a socket in the world's directory and does what only somebody
// outside can do:
//
//   - it starts pasta(1) or slirp4netns(1), when one of them is installed, which carries the packets of the world's own
//     host namespace to the real one and back; once, when the first lab with an uplink comes up;
//   - it binds ports of the real host and hands the sockets in. What comes there is passed on by the relay, a service of
//     the lab ([Relay]), which works in the world. Ports come and go with no connection of another one touched, which
//     neither pasta (its ports are fixed when it starts) nor slirp4netns (TCP and UDP over IPv4 only, and the source
//     address is lost) can do.
//
// The agent ends with the process that holds the world, and the program that it started with it. Both carry the world's
// token in their first argument, so that whatever of them is killed, the next command finds the others without numbers
// that the kernel gives again. The agent's own death costs nothing but the next command's starting another, which adopts
// what it finds.
package wayout
