// Package nft turns the firewall values of package state into nftables and back.
//
//   - [Encode] and [Apply] write: everything of one call is one transaction of the kernel, which happens whole or not at all.
//     Expressions are written by github.com/google/nftables/expr; tables, chains, sets and elements by this package, because that
//     library's connection dials its own socket, numbers sets in a package variable, cannot say "fail if the key is taken", puts all
//     elements of a set into one attribute (65,535 bytes at most) and has no comments on tables and chains.
//   - [Decode] and [Read] read. Nothing is ever skipped: an expression that is not understood is a [state.Opaque] with the kernel's
//     name of it. A rule that came out of [Decode] matches no more packets than the rule in the kernel.
//   - [Text] prints as "nft list table" does.
//
// Encode, Decode and Text are pure. A rule is written with explicit dependencies ("meta l4proto tcp" before "tcp dport"), as the kernel
// holds it; an operand that says more than the rule before it ensures (a TCP port where the packet may be UDP) is an error.
//
// Followed: nft(8), linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h. Sets of concatenated intervals need Linux 5.6;
// comments of tables and chains need 5.10 (an older kernel drops them).
package nft
