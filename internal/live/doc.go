// Package live sends the packet that a question is about and collects what the kernel says of it, so that a verdict of
// package reach can be compared with what really happens.
//
// Three witnesses are asked, and each works without the others:
//
//   - nftables trace (nft(8), "meta nftrace set 1"): a table of our own in each namespace of the walk marks exactly this packet
//     and its answer, and has an empty chain at the end of each hook. So the kernel names the rules that the packet met and
//     their verdicts, and a packet that entered a hook and never left it is seen to have died there, whoever dropped it. The
//     tables belong to the netlink sockets that made them (NFT_TABLE_F_OWNER, Linux 5.12): the kernel removes them when the
//     process ends, however it ends.
//   - Positions and drops by BPF on tracepoints (net_dev_queue, netif_receive_skb, kfree_skb, consume_skb): where the packet was
//     sent and received, and where and why it was thrown away. The programs (bpf/live.c) follow the packet through address
//     translation and tunnels by the address of its sk_buff. Linux 5.14; reasons since 5.17. Needs CAP_BPF and CAP_PERFMON of the
//     machine itself, and BTF.
//   - Neighbour events (RTNLGRP_NEIGH): answered, failed; and what is still being asked for at the end.
//
// Before the probe is sent, each witness has to tell of a packet on lo of a scratch namespace ([Report].Unseen names those that
// did not). Nothing is left behind. [Run] collects; [Judge] compares with the verdict and is pure.
//
// What is not seen: rules of iptables' legacy tables (that a packet died in a hook is seen, not by which rule), chains of the
// netdev and arp families, and, without BPF, everything below IP.
package live
