package wayout

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// explain makes an error of bind(2) one that leads on.
func explain(errno syscall.Errno, proto string, addr netip.AddrPort) error {
	switch {
	case errors.Is(errno, unix.EADDRINUSE):
		return fmt.Errorf("%s has it: %w", owner(proto, addr), errno)
	case errors.Is(errno, unix.EACCES) && addr.Port() < 1024:
		return fmt.Errorf("%w (hint: an ordinary user may take ports from %s on; as root: sysctl -w net.ipv4.ip_unprivileged_port_start=%d, or publish another port)",
			errno, firstPort(), addr.Port())
	case errors.Is(errno, unix.EADDRNOTAVAIL):
		return fmt.Errorf("the machine has no such address: %w", errno)
	default:
		return errno
	}
}

func firstPort() string {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return "1024"
	}
	return strings.TrimSpace(string(data))
}

// A holder of a port is a socket in /proc/net.
type portHolder struct {
	inode string
	uid   string
}

// owner names who has a port, as far as an ordinary user can see: a process of the user's, else whose it is.
func owner(proto string, addr netip.AddrPort) string {
	holders := portHolders(proto, addr)
	for _, h := range holders {
		if p := processOf(h.inode); p != "" {
			return p
		}
	}
	if len(holders) == 0 {
		return "somebody"
	}
	if u, err := user.LookupId(holders[0].uid); err == nil {
		return "a process of user " + u.Username
	}
	return "a process of user " + holders[0].uid
}

// portHolders looks through /proc/net/tcp and its kin for sockets that are bound to a port, on an address that stands in
// the way of addr.
func portHolders(proto string, addr netip.AddrPort) (out []portHolder) {
	const listening = "0A" // TCP_LISTEN of linux/tcp_states.h
	for _, suffix := range []string{"", "6"} {
		for i, f := range fields("/proc/self/net/" + proto + suffix) {
			if i == 0 || len(f) < 10 || proto == "tcp" && f[3] != listening {
				continue
			}
			at, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			if err != nil || uint16(n) != addr.Port() {
				continue
			}
			every := strings.Trim(at, "0") == ""
			if bound, ok := addr4(at); every || addr.Addr().IsUnspecified() || !ok || bound == addr.Addr() {
				out = append(out, portHolder{inode: f[9], uid: f[7]})
			}
		}
	}
	return out
}

// processOf finds the process of the user's that has a socket open.
func processOf(inode string) string {
	want := "socket:[" + inode + "]"
	pids, err := os.ReadDir("/proc")
	if err != nil {
		return ""
	}
	for _, e := range pids {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		dir := filepath.Join("/proc", e.Name())
		fds, err := os.ReadDir(filepath.Join(dir, "fd"))
		if err != nil {
			continue // somebody else's, or gone
		}
		if !slices.ContainsFunc(fds, func(fd os.DirEntry) bool {
			to, err := os.Readlink(filepath.Join(dir, "fd", fd.Name()))
			return err == nil && to == want
		}) {
			continue
		}
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if argv, err := cmdline(pid); err == nil && len(argv) == 4 && argv[1] == relayArg {
				return "your lab " + filepath.Base(argv[3])
			}
		}
		return fmt.Sprintf("PID %s (%s)", e.Name(), strings.TrimSpace(string(name)))
	}
	return ""
}
