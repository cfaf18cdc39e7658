package kerneltest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func takeCensus() (census, error) {
	c := census{}
	for _, part := range []func(census) error{
		countProcesses, countThreads, countMounts, countOpenFiles, countRun, countLinks, countRoutes, countSysctls, countTables,
	} {
		if err := part(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// gone reports errors of files that vanish while they are read, which below /proc is ordinary.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, os.ErrPermission)
}

func countProcesses(c census) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		name, err := os.ReadFile("/proc/" + e.Name() + "/comm")
		if err != nil && !gone(err) {
			return err
		}
		if err == nil {
			c.add("process", e.Name()+" "+strings.TrimSpace(string(name)))
		}
		tasks, err := os.ReadDir("/proc/" + e.Name() + "/task")
		if err != nil && !gone(err) {
			return err
		}
		seen := map[string]bool{}
		for _, task := range tasks {
			ns, err := os.Readlink("/proc/" + e.Name() + "/task/" + task.Name() + "/ns/net")
			if err == nil && !seen[ns] {
				seen[ns] = true
				c.add("network namespace of a process", e.Name()+" "+ns)
			}
		}
	}
	return nil
}

// countThreads names threads of this process that stand in other namespaces than the main thread.
func countThreads(c census) error {
	home := map[string]string{}
	for _, kind := range []string{"net", "mnt"} {
		ns, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return err
		}
		home[kind] = ns
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		for kind, want := range home {
			if ns, err := os.Readlink("/proc/self/task/" + task.Name() + "/ns/" + kind); err == nil && ns != want {
				c.add("thread in another namespace", task.Name()+" "+ns)
			}
		}
	}
	return nil
}

func countMounts(c census) error {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 10 {
			return fmt.Errorf("mountinfo: %q", line)
		}
		_, source, _ := strings.Cut(line, " - ")
		c.add("mount", f[4]+" "+f[3]+" "+strings.TrimSpace(source))
	}
	return nil
}

// countOpenFiles leaves out what the Go runtime opens once and keeps.
func countOpenFiles(c census) error {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	self := strconv.Itoa(int(dir.Fd()))
	for _, n := range names {
		target, err := os.Readlink("/proc/self/fd/" + n)
		if n == self || err != nil || target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]" {
			continue
		}
		c.add("open file", n+" "+target)
	}
	return nil
}

func countRun(c census) error {
	return filepath.WalkDir("/run", func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil
		case err != nil:
			return err
		case path == tempDir, path == "/run/mount": // the latter is made by mount(8) and left
			return fs.SkipDir
		case path == "/run/xtables.lock": // iptables' own
			return nil
		}
		c.add("file", path+" "+e.Type().String())
		return nil
	})
}

func countLinks(c census) error {
	links, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, l := range links {
		// Whether it runs is not counted: the kernel takes up to a second to say so of a bridge.
		c.add("link", fmt.Sprintf("%d %s %v", l.Index, l.Name, l.Flags&^net.FlagRunning))
		addrs, err := l.Addrs()
		if err != nil {
			continue // the link vanished; the next round sees that
		}
		for _, a := range addrs {
			c.add("address", l.Name+" "+a.String())
		}
	}
	return nil
}

func countRoutes(c census) error {
	for _, file := range []string{"route", "ipv6_route"} {
		b, err := os.ReadFile("/proc/thread-self/net/" + file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if file == "ipv6_route" && len(f) == 10 {
				f = []string{f[0], f[1], f[4], f[9]} // without use counters
			} else if len(f) > 8 {
				f = []string{f[0], f[1], f[2], f[7]}
			}
			c.add(file, strings.Join(f, " "))
		}
	}
	return nil
}

func countSysctls(c census) error {
	files := []string{"net/ipv4/ip_forward"}
	for _, dir := range []string{"net/ipv4/conf/all", "net/ipv4/conf/default", "net/ipv6/conf/all", "net/ipv6/conf/default", "net/bridge"} {
		entries, err := os.ReadDir("/proc/sys/" + dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			files = append(files, dir+"/"+e.Name())
		}
	}
	for _, f := range files {
		if b, err := os.ReadFile("/proc/sys/" + f); err == nil { // stable_secret cannot be read until it is set
			c.add("sysctl", f+" = "+strings.TrimSpace(string(b)))
		}
	}
	return nil
}

// countTables asks nft, if there is one: an independent witness.
func countTables(c census) error {
	nft, err := exec.LookPath("nft")
	if err != nil {
		return nil
	}
	out, err := exec.CommandContext(context.Background(), nft, "list", "tables").CombinedOutput()
	if err != nil {
		return fmt.Errorf("nft list tables: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		c.add("nftables table", strings.TrimSpace(line))
	}
	return nil
}
