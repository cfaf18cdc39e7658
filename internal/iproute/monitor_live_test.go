package iproute_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/iproute"
	"warren/internal/nl"
	"warren/netns"
)

// changes are commands that make the kernel tell of something.
func changes() []string {
	return []string{
		"ip link add v0 address 02:00:00:00:00:01 type veth peer name v1 address 02:00:00:00:00:02", "ip link add br0 address 02:00:00:00:00:03 type bridge", "ip link set v0 master br0",
		"ip link set v0 up", "ip link set v1 up", "ip link set lo up", "ip addr add 10.0.0.1/24 dev v1", "ip addr add fd00::1/64 dev v1 nodad", "ip route add 10.1.0.0/16 via 10.0.0.9 metric 5", "ip -6 route add fd01::/64 via fd00::9",
		"ip neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v1", "ip rule add from 10.0.0.0/8 table 7", "ip -6 rule add from fd00::/8 table 7", "ip nexthop add id 5 via 10.0.0.9 dev v1", "ip nexthop add id 6 group 5", "ip nexthop del id 6",
		"ip rule del from 10.0.0.0/8 table 7", "ip neigh del 10.0.0.7 dev v1", "ip route del 10.1.0.0/16", "ip addr del 10.0.0.1/24 dev v1", "ip link set v1 alias something", "ip link set v0 nomaster", "ip link del v0",
	}
}

// TestMonitor records what the kernel tells of changes, and shows it with both.
func TestMonitor(t *testing.T) {
	twin(t, "told")
	defer ours(t, "", "ip", "netns", "delete", "told")
	h, err := netns.OpenPath(netns.Dir + "/told")
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	fd, err := h.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	const nexthop, mdb = 32, 26
	sub, err := nl.Subscribe(fd, nl.SubscribeOptions{Groups: []uint32{unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_NEIGH, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE, unix.RTNLGRP_IPV4_NETCONF, nexthop, mdb}})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	for _, line := range changes() {
		if r := ours(t, "", inside(strings.Fields(line), "told")...); r.Code != 0 {
			t.Fatalf("%s: %+v", line, r)
		}
	}
	var file []byte
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		ev, err := sub.Receive(ctx)
		cancel()
		if err != nil {
			break // nothing more comes
		}
		for _, m := range ev.Messages {
			n := 16 + len(m.Data)
			file = binary.NativeEndian.AppendUint32(file, uint32(n))
			file = binary.NativeEndian.AppendUint16(file, uint16(m.Header.Type))
			file = append(file, make([]byte, 10)...)
			file = append(file, m.Data...)
			file = append(file, make([]byte, (4-n%4)%4)...)
		}
	}
	path := filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"ip monitor file " + path, "ip -d monitor file " + path, "ip -o monitor file " + path, "ip monitor label file " + path, "ip -c monitor file " + path, "ip -4 monitor file " + path, "ip -j monitor file " + path, "bridge monitor file " + path, "bridge -d monitor all file " + path} {
		argv := inside(strings.Fields(line), "told")
		want, got := still(theirs(t, "", argv...)), still(ours(t, "", argv...))
		if d := cmp.Diff(strings.Split(want.Out, "\n"), strings.Split(got.Out, "\n")); d != "" || want.Code != got.Code {
			t.Errorf("%s: %d, want %d\n%s\n%s", strings.Join(argv, " "), got.Code, want.Code, d, got.Err)
		}
	}
}

// TestMonitorAtOnce: a line is there before the monitor ends, also in a pipe, and the end of the context ends it.
func TestMonitorAtOnce(t *testing.T) {
	twin(t, "live")
	defer ours(t, "", "ip", "netns", "delete", "live")
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int, 1)
	go func() {
		ended <- iproute.Main([]string{"-n", "live", "-ts", "monitor", "link", "address", "label"}, iproute.IP, iproute.Stdio{In: strings.NewReader(""), Out: w, Err: io.Discard}, iproute.Deps{Context: ctx})
		w.Close()
	}()
	lines := make(chan string, 1)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			if strings.Contains(s.Text(), "[LINK]") && strings.Contains(s.Text(), " lo: ") {
				select {
				case lines <- s.Text():
				default:
				}
			}
		}
	}()
	deadline := time.After(30 * time.Second)
	for up := true; ; up = !up {
		state := map[bool]string{true: "up", false: "down"}[up]
		if r := ours(t, "", "ip", "-n", "live", "link", "set", "lo", state); r.Code != 0 {
			t.Fatal(r)
		}
		select {
		case line := <-lines:
			if !strings.HasPrefix(line, "[2") {
				t.Errorf("no time in front: %s", line)
			}
			cancel()
			if code := <-ended; code != 0 {
				t.Errorf("exit code %d", code)
			}
			return
		case <-deadline:
			t.Fatal("nothing was told")
		case <-time.After(50 * time.Millisecond): // it may not listen yet
		}
	}
}

// TestSaveRestore: what one saves the other restores.
func TestSaveRestore(t *testing.T) {
	programs := []func(testing.TB, string, ...string) result{theirs, ours}
	for i, save := range programs {
		restore := programs[1-i]
		for _, name := range []string{"from", "to"} {
			twin(t, name)
			for _, line := range changes()[:8] {
				if !strings.Contains(line, "ip addr add") || name == "from" {
					ours(t, "", inside(strings.Fields(line), name)...)
				}
			}
		}
		for _, line := range changes()[8:13] {
			ours(t, "", inside(strings.Fields(line), "from")...)
		}
		for _, object := range []string{"addr", "route", "rule"} {
			saved := save(t, "", "ip", "-n", "from", object, "save")
			again := restore(t, "", "ip", "-n", "from", object, "save")
			if saved.Code != 0 || len(saved.Out) != len(again.Out) || !bytes.HasPrefix([]byte(saved.Out), []byte(again.Out)[:4]) {
				t.Errorf("%s save: %d bytes and %d", object, len(saved.Out), len(again.Out))
			}
			path := filepath.Join(t.TempDir(), object)
			if err := os.WriteFile(path, []byte(saved.Out), 0o600); err != nil {
				t.Fatal(err)
			}
			if object != "rule" {
				a, b := withFile(t, theirs, path, "ip", "-n", "from", object, "showdump"), withFile(t, ours, path, "ip", "-n", "from", object, "showdump")
				if a.Code != b.Code || a.Out != b.Out {
					t.Errorf("%s showdump:\n%s", object, cmp.Diff(a.Out, b.Out))
				}
			}
			if r := withFile(t, restore, path, "ip", "-n", "to", object, "restore"); r.Code != 0 {
				t.Errorf("%s restore: %+v", object, r)
			}
		}
		for _, line := range []string{"ip -4 addr", "ip route"} {
			a, b := theirs(t, "", inside(strings.Fields(line), "from")...), theirs(t, "", inside(strings.Fields(line), "to")...)
			if d := cmp.Diff(sortedLines(a.Out), sortedLines(b.Out)); d != "" {
				t.Errorf("%s:\n%s", line, d)
			}
		}
		for _, name := range []string{"from", "to"} {
			ours(t, "", "ip", "netns", "delete", name)
		}
		if err := netns.WaitGone(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
