package nl

import "github.com/mdlayher/netlink"

// dumpPart is the largest part of a dump that the kernel makes (netlink_dump in net/netlink/af_netlink.c).
const dumpPart = 32 << 10

// Widen has the kernel make the parts of dumps as large as it can: it goes by the largest buffer that it has seen. It is for
// dumps that end with their first part, whatever did not fit, as that of the ids of namespaces does on Linux 6.18.
func (c *Conn) Widen() error {
	c.mu.Lock()
	if len(c.in) < dumpPart {
		c.in = make([]byte, dumpPart)
	}
	c.mu.Unlock()
	return c.Batch([]Request{{Type: netlink.Noop}})[0]
}
