// Package fake is a kernel in memory: the same Observe and Apply as internal/kernel. It follows the real one as far as a lab's
// plan can notice: a new namespace has only lo, down; addresses bring connected routes when their link is up, and take them
// away; moving and removing links takes along what sits on them; a namespace that goes destroys its links and their peers;
// what cannot be done is answered with the kernel's errno. The suite in internal/kerneltest/contract runs against both, and
// a difference is a bug here.
//
// What it leaves out: packets, timers, learned neighbours and forwarding entries, duplicate address detection (every address
// is accepted at once), carrier delays, and the multicast and anycast routes of IPv6.
//
// It serves tests and simulation ("what would this plan do?"), so it does not import testing.
package fake
