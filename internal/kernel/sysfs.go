package kernel

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/state"
)

// readMACAssign says of the bridges where their address comes from: one that nobody set changes with the ports. rtnetlink
// does not tell it, and /sys shows the namespace that it was mounted in; so an instance that is attached nowhere is made
// (fsopen(2)), for namespaces that have a bridge only.
func readMACAssign(links []state.Link) error {
	sys := -1
	for i := range links {
		if links[i].Kind != "bridge" {
			continue
		}
		if sys < 0 {
			fd, err := mountFS("sysfs")
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			sys = fd
		}
		fd, err := unix.Openat(sys, "class/net/"+links[i].Name+"/addr_assign_type", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // gone
		}
		var buf [16]byte
		n, err := unix.Read(fd, buf[:])
		_ = unix.Close(fd)
		if err != nil {
			continue
		}
		if v, err := strconv.ParseUint(string(bytes.TrimSpace(buf[:n])), 10, 8); err == nil {
			links[i].MACAssign = uint8(v)
		}
	}
	return nil
}
