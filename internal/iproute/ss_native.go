package iproute

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warren/netns"
)

// MainSS is "warren ss": ss(8) with namespaces of any form, in all of them at once, and JSON. netns is the namespace that was
// named in front of it, "" = the present one.
func MainSS(args []string, netns string, io Stdio, deps Deps) int {
	s := &session{stdio: io, deps: deps, personality: Warren, ctx: deps.Context}
	if netns != "" {
		args = append([]string{"-N", netns}, args...)
	}
	return runSS(args, s)
}

// everywhere shows the sockets of all namespaces, named or not.
func (s *ss) everywhere() {
	for _, f := range s.survey() {
		s.visit(f, s.show)
	}
}

// summaries is -s in all namespaces.
func (s *ss) summaries() {
	type entry struct {
		Netns string `json:"netns"`
		ssTotals
	}
	list := []entry{}
	for _, f := range s.survey() {
		s.visit(f, func() {
			if s.opt.json {
				list = append(list, entry{s.place, s.totals()})
				return
			}
			fmt.Fprintf(s.stdio.Out, "netns: %s\n", s.place)
			s.summary()
		})
	}
	if s.opt.json {
		s.writeJSON(list)
	}
}

// A ssPlace is a namespace with what it is called.
type ssPlace struct {
	name string
	*netns.Found
}

// survey finds the namespaces: the present one first, then by name.
func (s *ss) survey() []ssPlace {
	found, unread, err := netns.Survey(s.ctx, netns.SurveyOptions{Processes: true})
	if err != nil {
		fail(exitFailed, "%v", err)
	}
	for _, u := range unread {
		fmt.Fprintf(s.stdio.Err, "note: not looked at: %s: %s\n", u.Object, u.Reason)
	}
	list := make([]ssPlace, 0, len(found))
	for _, f := range found {
		list = append(list, ssPlace{placeName(f), f})
	}
	slices.SortStableFunc(list, func(a, b ssPlace) int {
		if a.Self != b.Self {
			return cmp.Compare(rank(b.Self), rank(a.Self))
		}
		return strings.Compare(a.name, b.name)
	})
	return list
}

func rank(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// placeName is what a namespace can be opened by: its first name, "host", a process in it, a path or its cookie.
func placeName(f *netns.Found) string {
	switch {
	case len(f.Names) > 0:
		return f.Names[0]
	case f.Self:
		return "host"
	case len(f.Processes) > 0:
		return "pid:" + strconv.Itoa(f.Processes[0].PID)
	case len(f.Paths) > 0:
		return f.Paths[0]
	case f.Handle != nil:
		return "cookie:" + strconv.FormatUint(f.Handle.Cookie(), 10)
	}
	return "net:[" + strconv.FormatUint(f.Inode, 10) + "]"
}

// visit calls show in a namespace.
func (s *ss) visit(f ssPlace, show func()) {
	if f.Handle == nil {
		fmt.Fprintf(s.stdio.Err, "note: %s: %v\n", f.name, f.Err)
		return
	}
	s.session.close()
	s.ns, s.place = f.Handle, f.name
	show()
	s.leave()
	s.session.close()
}
