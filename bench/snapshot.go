package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/netns"
)

// snapshotSizes are how many namespaces there are when a whole snapshot is taken; the cost is to be linear.
func snapshotSizes() []int { return []int{10, 100, 1000} }

// snapshots takes whole snapshots, on one core, of namespaces with 2 links, 5 routes, 10 rules of nftables and 3 sockets each.
func (b *bench) snapshots() error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	w, err := warren.Open(warren.Options{})
	if err != nil {
		return err
	}
	defer w.Close()
	whole := map[int]float64{} // ms
	for _, n := range snapshotSizes() {
		leave, err := b.populate(n)
		if err != nil {
			return err
		}
		var took []time.Duration
		for range min(b.rounds, 5) {
			start := processorTime()
			s, err := w.Snapshot(b.ctx, warren.SnapshotOptions{})
			took = append(took, processorTime()-start)
			if err != nil || len(s.Namespaces) < n || len(s.Unread) > 0 {
				leave()
				return fmt.Errorf("snapshot of %d namespaces, unread %v: %w", len(s.Namespaces), s.Unread, err)
			}
		}
		leave()
		whole[n] = float64(median(took)) / float64(time.Millisecond)
		if n > 10 { // of ten, what is the same for any number weighs as much as they do
			b.table.number(fmt.Sprintf("snapshot of all of %d namespaces: processor time of one", n), whole[n]/float64(n), "ms", 1.5)
		}
	}
	b.table.number("snapshot: each of the last 900 of 1000 / each of the last 90 of 100",
		(whole[1000]-whole[100])/900/((whole[100]-whole[10])/90), "x", 1.25)
	return nil
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

const snapshotRules = `table inet f {
 chain in {
  type filter hook input priority 0
  tcp dport 22 accept
  tcp dport 80 accept
  tcp dport 443 accept
  tcp dport { 1000, 2000 } accept
  udp dport 53 accept
  udp dport 67 accept
  ip saddr 192.0.2.4 drop
  ip6 saddr fd00::4 drop
  ct state established accept
  iifname "lo" accept
 }
}
`

// populate makes the namespaces, all on one bridge. leave takes them away.
func (b *bench) populate(n int) (leave func(), err error) {
	var sockets []int
	leave = func() {
		for _, fd := range sockets {
			_ = unix.Close(fd)
		}
		for i := range n {
			_ = netns.Delete(context.Background(), fmt.Sprintf("%s/s%d", netns.Dir, i))
		}
		_ = b.ip("link del snap")
		_ = netns.WaitGone(context.Background())
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	var lines strings.Builder
	lines.WriteString("link add snap type bridge\nlink set snap up\n")
	for i := range n {
		fmt.Fprintf(&lines, "netns add s%d\nlink add sv%d type veth peer name eth0 netns s%d\nlink set sv%d master snap up\n", i, i, i, i)
	}
	if err = b.ip(lines.String()); err != nil {
		return leave, err
	}
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		if err = b.ip(fmt.Sprintf("link set lo up\nlink set eth0 up addrgenmode none\naddr add 10.99.%d.%d/16 dev eth0\nroute add 10.98.0.0/16 via 10.99.255.254\n",
			i/250, i%250+1), "-n", name); err != nil {
			return leave, err
		}
		cmd := b.command("nsenter", "--net="+netns.Dir+"/"+name, "nft", "-f", "-")
		cmd.Stdin = strings.NewReader(snapshotRules)
		if err = cmd.Run(); err != nil {
			return leave, err
		}
		h, err := netns.OpenPath(netns.Dir + "/" + name)
		if err != nil {
			return leave, err
		}
		for _, s := range []struct{ domain, typ int }{{unix.AF_INET, unix.SOCK_STREAM}, {unix.AF_INET, unix.SOCK_DGRAM}, {unix.AF_UNIX, unix.SOCK_STREAM}} {
			fd, err := h.Socket(s.domain, s.typ, 0)
			if err != nil {
				return leave, err
			}
			sockets = append(sockets, fd)
			var addr unix.Sockaddr = &unix.SockaddrInet4{Port: 80}
			if s.domain == unix.AF_UNIX {
				addr = &unix.SockaddrUnix{Name: "@bench"}
			}
			if err := unix.Bind(fd, addr); err != nil {
				return leave, err
			}
			if s.typ == unix.SOCK_STREAM {
				if err := unix.Listen(fd, 1); err != nil {
					return leave, err
				}
			}
		}
		_ = h.Close()
	}
	return leave, nil
}

// ip runs a batch.
func (b *bench) ip(lines string, flags ...string) error {
	cmd := exec.CommandContext(b.ctx, "ip", append(flags, "-batch", "-")...)
	cmd.Stdin = strings.NewReader(lines)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v: %w: %s", flags, err, out)
	}
	return nil
}
