// Package ctnl is the codec of conntrack's table over nfnetlink (linux/netfilter/nfnetlink_conntrack.h): bytes to values of
// package state and back, and the request that reads the table. It is pure; the socket is internal/nl's. Nothing is ever
// changed.
package ctnl
