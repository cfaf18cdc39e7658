package iproute

import (
	"errors"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// vrfExec runs a command whose sockets belong to a routing domain: its process goes into a folder of the unified cgroup hierarchy
// whose program binds each new socket to the domain's link. "default" is a folder without a program.
func vrfExec(s *session, w *words) {
	switch {
	case !w.more():
		exit("No VRF name specified")
	case w.left() == 1:
		exit("No command specified")
	}
	name, argv := w.take(), w.rest()
	if s.inBatch {
		options := []string{}
		if s.opt.netns != "" {
			options = []string{"-n", s.opt.netns}
		}
		if s.p != nil {
			s.flush()
		}
		if s.code = s.again(append(append(options, "vrf", "exec", name), argv...), argv); s.code == exitUsage {
			s.code = exitFailed
		}
		return
	}
	s.enterVRF(name)
	if s.opt.netns != "" {
		s.replace(s.space(), argv)
		return
	}
	if err := netns.Join(argv, netns.JoinOptions{}); err != nil {
		s.notReplaced(err, argv)
	}
}

// enterVRF puts this process into a domain's folder.
func (s *session) enterVRF(name string) {
	index := 0
	if name != "default" {
		if !s.isVRF(name) {
			die("Invalid VRF name")
		}
		index = s.indexOf(name)
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		die("Failed to open mounts file: %s", errnoText(err))
	}
	mount := unifiedMount(string(mounts))
	if mount == "" {
		mount = mountUnified()
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		die("Failed to get base cgroup path: %s", errnoText(err))
	}
	folder := vrfFolder(mount, string(own), s.nameOfSpace(), name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		die("mkdir failed for %s: %s\nFailed to setup vrf cgroup2 directory", folder, errnoText(err))
	}
	if index != 0 {
		bindSockets(folder, index)
	}
	f, err := os.OpenFile(folder+"/cgroup.procs", os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		die("Failed to open cgroups.procs file: %s.", errnoText(err))
	}
	defer f.Close()
	if _, err := f.WriteString(strconv.Itoa(os.Getpid())); err != nil {
		die("Failed to join cgroup")
	}
}

// nameOfSpace is the name of the namespace that the command is about; "" = it has none.
func (s *session) nameOfSpace() string {
	found := ""
	inode := s.space().Inode()
	for _, name := range namesInOrder() {
		if at, err := placeOf(netnsPath(name)); err == nil && at.ino == inode {
			found = name // of several ip takes the last
		}
	}
	return found
}

// unifiedMount finds where the unified hierarchy of cgroups is in /proc/mounts.
func unifiedMount(mounts string) string {
	for line := range strings.Lines(mounts) {
		if f := strings.Fields(line); len(f) > 2 && f[2] == "cgroup2" {
			return f[1]
		}
	}
	return ""
}

// mountUnified mounts it where iproute2 does.
func mountUnified() string {
	const at = "/var/run/cgroup2"
	if err := os.MkdirAll(at, 0o755); err != nil {
		die("Failed to setup cgroup2 directory")
	}
	switch err := unix.Mount("none", at, "cgroup2", 0, ""); {
	case errors.Is(err, unix.ENODEV):
		die("cannot mount cgroup2: it seems that the kernel has no control groups")
	case err != nil && !errors.Is(err, unix.EBUSY):
		die("Failed to mount cgroup2: %s", errnoText(err))
	}
	return at
}

// vrfFolder is a domain's folder for a process that is in that cgroup (/proc/PID/cgroup): beside that of another domain, below the
// one of the namespace if that has a name.
func vrfFolder(mount, cgroup, space, domain string) string {
	base := ""
	for line := range strings.Lines(cgroup) {
		if at := strings.Index(line, "::/"); at >= 0 {
			base = strings.TrimSuffix(line[at+2:], "\n")
			base, _, _ = strings.Cut(base, "/vrf")
			break
		}
	}
	if base == "/" {
		base = ""
	}
	if space != "" {
		space += "-ns"
		if path.Base(base) == space {
			base = strings.TrimSuffix(base, space)
		}
		space += "/"
	}
	if domain == "default" {
		domain = ""
	}
	return path.Clean(mount + base + "/" + space + "vrf/" + domain)
}
