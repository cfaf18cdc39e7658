package runtimetest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A device is a link as ip(8) shows it.
type device struct {
	Index  int    `json:"ifindex"`
	Name   string `json:"ifname"`
	Peer   int    `json:"link_index"`
	Master string `json:"master"`
	MAC    string `json:"address"`
	Addrs  []struct {
		Local string `json:"local"`
		Bits  int    `json:"prefixlen"`
		Scope string `json:"scope"`
	} `json:"addr_info"`
}

// within runs a program in the network namespace of a process, without any other of its namespaces.
func within(pid int, argv ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return exec.CommandContext(ctx, "nsenter", append([]string{"--net=/proc/" + strconv.Itoa(pid) + "/ns/net"}, argv...)...).CombinedOutput()
}

// devices asks ip for the links where a process is.
func devices(t testing.TB, pid int) (list []device) {
	t.Helper()
	out, err := within(pid, "ip", "-j", "addr")
	if err == nil {
		err = json.Unmarshal(out, &list)
	}
	if err != nil {
		t.Fatalf("ip -j addr: %v\n%s", err, out)
	}
	return list
}

// addresses are those that ip shows where a process is, as a list has them: "eth0 10.0.0.2/24", without the link-local ones.
func addresses(t testing.TB, pid int) (list []string) {
	t.Helper()
	for _, d := range devices(t, pid) {
		for _, a := range d.Addrs {
			if a.Scope == "global" {
				list = append(list, fmt.Sprintf("%s %s/%d", d.Name, a.Local, a.Bits))
			}
		}
	}
	slices.Sort(list)
	return list
}

// inode is that of the network namespace of a process.
func inode(t testing.TB, pid int) uint64 {
	t.Helper()
	fi, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return fi.Sys().(*syscall.Stat_t).Ino
}

// processes are the processes in the network namespace of one, by a look at each.
func processes(t testing.TB, pid int) (pids []int) {
	t.Helper()
	want, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if got, err := os.Readlink(l); err == nil && got == want {
			n, _ := strconv.Atoi(strings.Split(l, "/")[2])
			pids = append(pids, n)
		}
	}
	slices.Sort(pids)
	return pids
}

// fetch tries to get the page of a web server from where a process is.
func fetch(pid int, addr string) error {
	out, err := within(pid, "curl", "-sS", "-m", "3", "--noproxy", "*", "http://"+addr+"/")
	if err != nil {
		return fmt.Errorf("curl %s: %w: %s", addr, err, out)
	}
	if strings.TrimSpace(string(out)) != page {
		return fmt.Errorf("curl %s: %q", addr, out)
	}
	return nil
}
