// Package iproute speaks the grammar of iproute2 (ip(8), bridge(8), ss(8)): the same words, the same text and JSON, the same
// order and exit codes, so that scripts written for it cannot tell the difference. It follows version 6.1.
//
// Each object has a parser, from words to netlink requests, and printers, from the kernel's messages to text or JSON. The
// package has no kernel code of its own: messages are internal/rtnl's, sockets are opened in the namespace in question by
// package netns and nothing ever "enters" one. So "-n" costs one open, sees no other /sys, and a batch can work across
// namespaces in one process.
//
// What differs from iproute2, on purpose: "netns monitor" writes every line at once and tells of a namespace when it can be
// entered; "netns exec" keeps what is mounted below /sys; a name that was left half-made is repaired. What this package does
// not know is refused with iproute2's exit code for a bad word, never ignored.
//
// Exit codes: 0; 1 when a verb failed; 2 when the kernel refused; 255 for bad words, bad names, and a namespace that cannot
// be entered. Called as bridge every failure is 255.
package iproute
