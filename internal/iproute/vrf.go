package iproute

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

const vrfUsage = `Usage: ip vrf [ show ] [ NAME ]
       ip vrf identify [ PID ]                 ip vrf pids NAME
       ip vrf exec NAME COMMAND...`

// vrfObject is "ip vrf": routing domains, which are links of that kind, and the processes that were put into one.
func vrfObject(s *session, w *words) {
	word := w.peek()
	if !dispatch(s, w, []verb{
		{"show", vrfShow},
		{"list", vrfShow},
		{"lst", vrfShow},
		{"identify", vrfIdentify},
		{"pids", vrfPIDs},
		{"exec", vrfExec},
		{"help", func(*session, *words) { usageOf(vrfUsage) }},
	}) {
		unknownVerb("vrf", word)
	}
}

// vrfTable is the table of a link when it is a routing domain.
func vrfTable(l *linkMsg) (uint32, bool) {
	info := l.a.Nested(unix.IFLA_LINKINFO)
	if info.Str(unix.IFLA_INFO_KIND) != "vrf" {
		return 0, false
	}
	table := info.Nested(unix.IFLA_INFO_DATA).U32(unix.IFLA_VRF_TABLE)
	return table, table != 0
}

func vrfShow(s *session, w *words) {
	if w.left() > 1 {
		usageOf(vrfUsage)
	}
	links := s.dump(rtnl.DumpLinks(false))
	name := w.peek()
	var rows [][2]string
	for _, m := range links {
		l, ok := readLink(m.Data)
		if !ok {
			continue
		}
		if table, is := vrfTable(&l); is && (name == "" || l.a.Str(unix.IFLA_IFNAME) == name) {
			rows = append(rows, [2]string{l.a.Str(unix.IFLA_IFNAME), strconv.FormatUint(uint64(table), 10)})
		}
	}
	if name != "" {
		if len(rows) == 0 {
			fail(exitUsage, "Invalid VRF")
		}
		fmt.Fprintf(s.stdio.Out, "%s %s\n", rows[0][0], rows[0][1])
		return
	}
	p := s.out()
	p.text("%-16s  %5s\n%s\n", "Name", "Table", strings.Repeat("-", 23))
	for _, r := range rows {
		p.openObject("")
		p.str("name", "%s", r[0])
		p.text("%s %5s\n", strings.Repeat(" ", max(0, 16-len(r[0]))), r[1])
		if p.isJSON() {
			p.js.name("table")
			p.js.raw("%s", r[1])
		}
		p.closeObject()
	}
	if len(rows) == 0 {
		p.text("No VRF has been configured\n")
	}
}

// vrfIdentify says which domain a process was put into: it is a folder of the unified cgroup hierarchy.
func vrfIdentify(s *session, w *words) {
	pid := uint64(os.Getpid())
	switch {
	case w.left() > 1:
		invalid("Extra arguments specified\n", w.list[w.at+1])
	case w.more():
		n, ok := parseUint(w.peek(), 10, 32)
		if !ok {
			invalid("Invalid pid\n", w.peek())
		}
		pid = n
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		fail(exitFailed, "Failed to lookup vrf association: %s", errnoText(err))
	}
	for line := range strings.Lines(string(b)) {
		if _, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "/vrf/"); ok && strings.Contains(line, "::/") {
			fmt.Fprintln(s.stdio.Out, name[:min(len(name), 31)])
			return
		}
	}
}

// isVRF reports whether a link of that name is a routing domain.
func (s *session) isVRF(name string) bool {
	return slices.ContainsFunc(s.dump(rtnl.DumpLinks(false)), func(m netlink.Message) bool {
		l, ok := readLink(m.Data)
		if !ok {
			return false
		}
		_, is := vrfTable(&l)
		return is && l.a.Str(unix.IFLA_IFNAME) == name
	})
}

// vrfPIDs lists the processes of a domain, wherever below the hierarchy its folders are.
func vrfPIDs(s *session, w *words) {
	if w.left() != 1 {
		fail(exitFailed, "Invalid arguments")
	}
	name := w.peek()
	if !s.isVRF(name) {
		fail(exitFailed, "Invalid VRF name")
	}
	const hierarchy = "/sys/fs/cgroup"
	_ = filepath.WalkDir(hierarchy, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() || filepath.Base(path) != name || filepath.Base(filepath.Dir(path)) != "vrf" {
			return nil // what cannot be read has nothing to tell
		}
		b, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		if err != nil {
			return nil
		}
		for pid := range strings.FieldsSeq(string(b)) {
			comm, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
			if err != nil {
				comm = []byte("<terminated?>")
			}
			fmt.Fprintf(s.stdio.Out, "%5s  %s\n", pid, strings.TrimSpace(string(comm)))
		}
		return nil
	})
}
