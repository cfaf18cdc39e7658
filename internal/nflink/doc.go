// Package nflink lists the BPF programs that are attached to hooks of netfilter (BPF_LINK_TYPE_NETFILTER, Linux 6.4), each with
// the network namespace that it is in. The kernel's information about a link does not tell the namespace; a small BPF program
// that runs once for each link reads it where the kernel keeps it (struct bpf_nf_link in net/netfilter/nf_bpf_link.c).
package nflink
