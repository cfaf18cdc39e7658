// Package drops tells which packets the kernel throws away, in all network namespaces: when, in which namespace, on which
// device, what packet it was, in which function of the kernel and for what reason.
//
// It listens on the tracepoint skb:kfree_skb with a BPF program that is put together here for the fields of the running
// kernel's structures (BTF, Linux 5.17 for reasons). Nothing but the tracepoint is needed: no kprobes, no fentry. Names of
// reasons are the running kernel's own, because their numbers differ between versions. What a reason means, and which drops
// mean nothing at all, is said by [Event.Explain] and [Event.Harmless].
package drops
