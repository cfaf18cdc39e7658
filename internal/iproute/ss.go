package iproute

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/sockdiag"
)

const ssListening = 1<<sockdiag.Listen | ssClose

// A ss is one run of ss(8).
type ss struct {
	*session
	opt     ssOptions
	sel     ssSelection
	states  sockdiag.Statuses // what -a, -l, "state" and "exclude" say
	queried bool              // -A was given
	table   *ssTable
	json    []ssJSON
	place   string // name of the namespace, in the column for it

	portsOf   string // protocol whose services ports are
	known     ssServices
	protocols map[int64]string
	autoPorts [2]int64 // first and last port of those that the kernel gives
	owned     sockdiag.Owners
	cgroups   map[uint64]string
	sctpInode uint32
	program   sockdiag.Program
	diag      *nl.Conn
	killer    *nl.Conn // another one: it is used while lists are read
}

// mainSS is ss(8).
func mainSS(args []string, io Stdio, deps Deps) int {
	return runSS(args, &session{stdio: io, deps: deps, personality: SS, ctx: deps.Context})
}

// runSS runs ss in a session, which under our own name may be in a namespace already.
func runSS(args []string, session *session) int {
	if session.ctx == nil {
		session.ctx = context.Background()
	}
	s := &ss{session: session, sel: ssSelection{all: true}}
	defer s.close()
	return s.guard(func() { s.run(args) })
}

func (s *ss) close() {
	if s.opt.close != nil {
		_ = s.opt.close()
	}
	s.leave()
	s.session.close()
}

// leave gives up what belongs to the namespace.
func (s *ss) leave() {
	if s.diag != nil {
		s.diag.Close()
		s.diag = nil
	}
	if s.killer != nil {
		s.killer.Close()
		s.killer = nil
	}
	s.autoPorts = [2]int64{}
}

func (s *ss) run(args []string) {
	words := s.parse(args)
	switch {
	case s.opt.help && s.personality == Warren:
		fmt.Fprint(s.stdio.Out, ssUsage+ssUsageOwn)
		return
	case s.opt.help:
		fmt.Fprint(s.stdio.Out, ssUsage)
		return
	case s.opt.version:
		fmt.Fprintln(s.stdio.Out, "ss utility, iproute2-6.1.0")
		return
	}
	if s.opt.summary {
		switch {
		case s.opt.allNetns:
			s.summaries()
		case s.opt.json:
			s.writeJSON(s.totals())
		default:
			s.summary()
		}
		if s.sel.all && len(words) == 0 {
			return
		}
	}
	words = s.readStates(words)
	if s.sel.all {
		if s.states == 0 {
			s.states = ssConnected
		}
		s.sel.query("all")
	}
	if s.states != 0 {
		s.sel.states = s.states
	}
	s.sel.complete()
	for _, nothing := range []struct {
		none bool
		what string
	}{
		{s.sel.kinds == 0, "no socket tables"}, {s.sel.families == 0, "no families"}, {s.sel.states == 0, "no socket states"},
	} {
		if nothing.none {
			fmt.Fprintf(s.stdio.Err, "ss: %s to show with such filter.\n", nothing.what)
			return
		}
	}
	if s.opt.filters != nil {
		words = append(words, fileWords(s.opt.filters)...)
	}
	p := ssParser{s: s, words: ssWords(words)}
	s.sel.filter = p.filter()
	if s.sel.filter != nil {
		s.program = s.sel.filter.program()
	}
	if s.opt.record != "" {
		s.record(s.opt.record)
		return
	}
	s.table = newSSTable()
	s.table.columns[colNetid].off = s.sel.oneKind()
	s.table.columns[colState].off = s.sel.oneState()
	s.table.columns[colNetns].off = !s.opt.allNetns
	s.table.columns[colNetid].delim = map[bool]string{true: " "}[s.opt.allNetns]
	if !s.opt.noHeader {
		s.table.header()
	}
	switch {
	case s.opt.events && s.opt.allNetns:
		die("--events cannot listen everywhere at once: name a namespace with -N")
	case s.opt.events:
		s.follow()
		return
	case s.opt.allNetns:
		s.everywhere()
	default:
		s.show()
	}
	if s.opt.json {
		s.printJSON()
		return
	}
	s.table.render(s.stdio.Out, s.terminalWidth())
}

// readStates reads "state STATE" and "exclude STATE" and returns the words after them.
func (s *ss) readStates(words []string) []string {
	seen := false
	for len(words) > 0 {
		not := false
		switch words[0] {
		case "state":
		case "exclude", "excl":
			not = true
		default:
			return words
		}
		if len(words) < 2 {
			incomplete()
		}
		set, ok := ssStates(words[1])
		if !ok {
			die("ss: wrong state name: %s", words[1])
		}
		switch {
		case not && !seen:
			s.states = ssAll &^ set
		case not:
			s.states &^= set
		case !seen:
			s.states = set
		default:
			s.states |= set
		}
		seen = true
		words = words[2:]
	}
	return words
}

// show shows the sockets of the present namespace.
func (s *ss) show() {
	for _, t := range []struct {
		kinds uint32
		show  func()
	}{
		{1 << kindNetlink, s.showNetlink},
		{ssPacket, s.showPacket},
		{ssUnix, s.showUnix},
		{1 << kindRaw, func() { s.showInet("raw", unix.IPPROTO_RAW) }},
		{1 << kindUDP, func() { s.showInet("udp", unix.IPPROTO_UDP) }},
		{1 << kindTCP, s.showTCP},
		{1 << kindSCTP, func() { s.showInet("", unix.IPPROTO_SCTP) }},
		{ssVsock, s.showVsock},
		{1 << kindMPTCP, func() { s.showInet("", unix.IPPROTO_MPTCP) }},
	} {
		if s.sel.wants(t.kinds) {
			t.show()
		}
	}
}

// sockets is a connection to the kernel for listing sockets, in the namespace.
func (s *ss) sockets() *nl.Conn {
	if s.diag == nil {
		c, err := s.space().Netlink(unix.NETLINK_SOCK_DIAG)
		if err != nil {
			fail(exitFailed, "Cannot open netlink socket: %s", errnoText(err))
		}
		s.diag = c
	}
	return s.diag
}

// enter is -N: it counts from then on.
func (s *ss) enter(name string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *failure:
			panic(&failure{code: exitFailed, text: r.text, abort: true}) // other than ip
		default:
			panic(r)
		}
	}()
	h, err := s.openName(name)
	if err != nil {
		fail(exitFailed, "%v", err)
	}
	s.session.close()
	s.leave()
	s.ns = h
}

// terminalWidth is how many columns standard output has; 0 when it is no terminal.
func (s *ss) terminalWidth() int {
	f, ok := s.stdio.Out.(*os.File)
	if !ok {
		return 0
	}
	if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err != nil {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}
