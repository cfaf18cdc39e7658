package warren

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"warren/internal/lab"
	"warren/topo"
)

// listenerOf finds who listens on a port of the host that is to be published: "PID 12 (python3 -m http.server)". It is for an
// error's text, so what cannot be seen is left out: "" when that is all.
//
// A table of sockets (proc_net_tcp) names a socket by its inode, and a process has that among its descriptors.
func listenerOf(pub topo.PublishInfo) string {
	var inodes []string
	for _, table := range []string{pub.Proto, pub.Proto + "6"} {
		data, err := os.ReadFile(filepath.Join("/proc/thread-self/net", table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if inode, ok := listens(line, pub); ok {
				inodes = append(inodes, "socket:["+inode+"]")
			}
		}
	}
	if len(inodes) == 0 {
		return ""
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return ""
	}
	for _, dir := range dirs {
		fds, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue // gone, or somebody else's
		}
		for _, fd := range fds {
			if target, err := os.Readlink(filepath.Join(dir, "fd", fd.Name())); err == nil && slices.Contains(inodes, target) {
				pid, err := strconv.Atoi(filepath.Base(dir))
				if err != nil {
					return ""
				}
				return fmt.Sprintf("PID %d (%s)", pid, lab.CommandLine(pid))
			}
		}
	}
	return ""
}

// Columns of a line of /proc/net/tcp and udp, and the states in which a socket takes what comes.
const (
	columnLocal  = 1
	columnState  = 3
	columnInode  = 9
	stateListen  = "0A" // TCP_LISTEN
	stateUnbound = "07" // TCP_CLOSE, of a UDP socket that is not connected
)

// listens reports whether a line is of a socket in the way, and its inode.
func listens(line string, pub topo.PublishInfo) (inode string, ok bool) {
	f := strings.Fields(line)
	if len(f) <= columnInode || f[columnState] != stateListen && f[columnState] != stateUnbound {
		return "", false
	}
	local, ok := parseProcAddr(f[columnLocal])
	if !ok || local.Port() != pub.Host.Port() {
		return "", false
	}
	a, b := local.Addr(), pub.Host.Addr()
	return f[columnInode], a == b || a.IsUnspecified() || b.IsUnspecified()
}

// parseProcAddr reads 0100007F:1F90: words of 32 bits in the machine's order, and the port.
func parseProcAddr(s string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	a, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), ok
}
