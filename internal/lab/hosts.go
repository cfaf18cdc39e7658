package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"warren/state"
)

// A HostsEntry is one line of a hosts file (hosts(5)).
type HostsEntry struct {
	Addr  netip.Addr
	Names []string // the first is the canonical one
}

// HostsText is the content of a hosts file: the entries after those of localhost.
func HostsText(entries []HostsEntry) []byte {
	var b strings.Builder
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	for _, e := range entries {
		fmt.Fprintf(&b, "%s\t%s\n", e.Addr, strings.Join(e.Names, " "))
	}
	return []byte(b.String())
}

// ResolvText is the content of a resolv.conf (resolv.conf(5)). Without servers it says that there are none: names come
// from the hosts file then, and a query for any other fails at once.
func ResolvText(servers []netip.Addr, search []string) []byte {
	var b strings.Builder
	if len(servers) == 0 {
		b.WriteString("# no name servers: names are in /etc/hosts\n")
	}
	for _, s := range servers {
		fmt.Fprintf(&b, "nameserver %s\n", s)
	}
	if len(search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(search, " "))
	}
	return []byte(b.String())
}

// WriteHosts writes the hosts file of the lab (node "") or of one node that has its own. The file keeps its inode, for it
// is mounted over /etc/hosts of running processes, which see the new names at once.
func (d Dir) WriteHosts(node string, data []byte) error { return d.writeEtc(node, "hosts", data) }

// WriteResolv writes resolv.conf in the same way.
func (d Dir) WriteResolv(node string, data []byte) error {
	return d.writeEtc(node, "resolv.conf", data)
}

// HostsPath is the hosts file for a node: its own, or the lab's, or "" when there is none.
func (d Dir) HostsPath(node string) string { return d.etcPath(node, "hosts") }

// ResolvPath is the resolv.conf for a node: its own, or the lab's, or "" when there is none.
func (d Dir) ResolvPath(node string) string { return d.etcPath(node, "resolv.conf") }

// OwnEtc lists the nodes that have files of their own, sorted.
func (d Dir) OwnEtc() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(d.path, "etc"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list nodes with files of their own: %w", err)
	}
	var nodes []string
	for _, e := range entries {
		for _, name := range []string{"hosts", "resolv.conf"} {
			if node, ok := strings.CutSuffix(e.Name(), "."+name); ok {
				nodes = append(nodes, node)
			}
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes), nil
}

// RemoveEtc removes the files of a node's own; the lab's hold for it again.
func (d Dir) RemoveEtc(node string) error {
	if err := state.CheckLabName(node); err != nil {
		return fmt.Errorf("remove files of node: %w", err)
	}
	for _, name := range []string{"hosts", "resolv.conf"} {
		if err := os.Remove(d.etcFile(node, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s of node %s: %w", name, node, err)
		}
	}
	return nil
}

// Node names hold no dot, so NODE.hosts is never another's.
func (d Dir) etcFile(node, name string) string {
	if node != "" {
		name = node + "." + name
	}
	return filepath.Join(d.path, "etc", name)
}

func (d Dir) etcPath(node, name string) string {
	for _, n := range []string{node, ""} {
		path := d.etcFile(n, name)
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

func (d Dir) writeEtc(node, name string, data []byte) error {
	if node != "" {
		if err := state.CheckLabName(node); err != nil {
			return fmt.Errorf("write %s of node: %w", name, err)
		}
	}
	path := d.etcFile(node, name)
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if old, err := os.ReadFile(path); err == nil && string(old) == string(data) {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.WriteAt(data, 0)
	err = errors.Join(err, f.Truncate(int64(len(data))), f.Chmod(0o644), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
