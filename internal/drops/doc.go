// Package drops tells which packets the kernel throws away, in all network namespaces: when, in which namespace, on which
// device, what packet it was, in which function of the kernel and for what reason.
//
// It listens on the tracepoint skb:kfree_skb with a BPF program (bpf/drops.c) that finds the fields of the running kernel's
// structures by its BTF. Linux 5.14; reasons since 5.17; since 6.10 a packet that has neither a device nor a sender belongs to
// the namespace of the socket that was to get it. Nothing but the tracepoint is needed: no kprobes, no fentry. Names of
// reasons are the running kernel's own, because their numbers differ between versions. What a reason means, and which drops
// mean nothing at all, is said by [Event.Explain] and [Event.Harmless].
package drops
