// Package ipam chooses prefixes and addresses: the next free prefix of a pool, the next free address of a prefix. It is
// pure; leases that must survive a process are kept elsewhere.
package ipam
