package iproute

import (
	"bufio"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ssOptions are what -x and --long say.
type ssOptions struct {
	numeric, resolve, timers                  bool
	extended, processes, threads, bpf         bool
	memory, info, tipc, tos, cgroup, sockopt  bool
	noHeader, oneline, summary, help, version bool
	events, kill                              bool
	record                                    string    // -D
	json, allNetns                            bool      // under our own name
	filters                                   io.Reader // of -F
	close                                     func() error
}

// A ssOption is one of getopt_long(3): letters may stand together, long names may be cut short, and options may follow
// arguments.
type ssOption struct {
	letter byte
	long   string
	value  bool
	own    bool // not iproute2's
	set    func(s *ss, value string)
}

func ssOptionList() []ssOption {
	family := func(f int) func(*ss, string) { return func(s *ss, _ string) { s.sel.addFamily(f) } }
	kind := func(k ssKind) func(*ss, string) { return func(s *ss, _ string) { s.sel.addKind(k) } }
	noSELinux := func(*ss, string) { fail(exitFailed, "ss: SELinux is not enabled.") }
	return []ssOption{
		{'n', "numeric", false, false, func(s *ss, _ string) { s.opt.numeric = true }},
		{'r', "resolve", false, false, func(s *ss, _ string) { s.opt.resolve = true }},
		{'o', "options", false, false, func(s *ss, _ string) { s.opt.timers = true }},
		{'e', "extended", false, false, func(s *ss, _ string) { s.opt.timers, s.opt.extended = true, true }},
		{'m', "memory", false, false, func(s *ss, _ string) { s.opt.memory = true }},
		{'i', "info", false, false, func(s *ss, _ string) { s.opt.info = true }},
		{'p', "processes", false, false, func(s *ss, _ string) { s.opt.processes = true }},
		{'T', "threads", false, false, func(s *ss, _ string) { s.opt.threads = true }},
		{'b', "bpf", false, false, func(s *ss, _ string) { s.opt.timers, s.opt.bpf = true, true }},
		{'E', "events", false, false, func(s *ss, _ string) { s.opt.events = true }},
		{'d', "dccp", false, false, kind(kindDCCP)},
		{'t', "tcp", false, false, kind(kindTCP)},
		{'S', "sctp", false, false, kind(kindSCTP)},
		{'u', "udp", false, false, kind(kindUDP)},
		{'w', "raw", false, false, kind(kindRaw)},
		{'x', "unix", false, false, family(unix.AF_UNIX)},
		{0, "tipc", false, false, family(unix.AF_TIPC)},
		{0, "vsock", false, false, family(unix.AF_VSOCK)},
		{'a', "all", false, false, func(s *ss, _ string) { s.states = ssAll }},
		{'l', "listening", false, false, func(s *ss, _ string) { s.states = ssListening }},
		{'4', "ipv4", false, false, family(unix.AF_INET)},
		{'6', "ipv6", false, false, family(unix.AF_INET6)},
		{'0', "packet", false, false, family(unix.AF_PACKET)},
		{'f', "family", true, false, (*ss).family},
		{'A', "socket", true, false, (*ss).query},
		{0, "query", true, false, (*ss).query},
		{'s', "summary", false, false, func(s *ss, _ string) { s.opt.summary = true }},
		{'D', "diag", true, false, func(s *ss, v string) { s.opt.record = v }},
		{'F', "filter", true, false, (*ss).filterFile},
		{'V', "version", false, false, func(s *ss, _ string) { s.opt.version = true }},
		{'v', "", false, false, func(s *ss, _ string) { s.opt.version = true }},
		{'h', "help", false, false, func(s *ss, _ string) { s.opt.help = true }},
		{'Z', "context", false, false, noSELinux},
		{'z', "contexts", false, false, noSELinux},
		{'N', "net", true, false, (*ss).enter},
		{0, "tipcinfo", false, false, func(s *ss, _ string) { s.opt.tipc = true }},
		{0, "tos", false, false, func(s *ss, _ string) { s.opt.tos = true }},
		{0, "cgroup", false, false, func(s *ss, _ string) { s.opt.cgroup = true }},
		{'K', "kill", false, false, func(s *ss, _ string) { s.opt.kill = true }},
		{'H', "no-header", false, false, func(s *ss, _ string) { s.opt.noHeader = true }},
		{0, "xdp", false, false, family(unix.AF_XDP)},
		{'M', "mptcp", false, false, kind(kindMPTCP)},
		{'O', "oneline", false, false, func(s *ss, _ string) { s.opt.oneline = true }},
		{0, "inet-sockopt", false, false, func(s *ss, _ string) { s.opt.sockopt = true }},
		{'j', "json", false, true, func(s *ss, _ string) { s.opt.json = true }},
		{0, "all-netns", false, true, func(s *ss, _ string) { s.opt.allNetns = true }},
	}
}

// parse reads the options and returns the other words.
func (s *ss) parse(args []string) []string {
	var list []ssOption
	for _, o := range ssOptionList() {
		if !o.own || s.personality == Warren {
			list = append(list, o)
		}
	}
	var words []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			return append(words, args[i+1:]...)
		case strings.HasPrefix(word, "--"):
			i = s.long(list, args, i)
		case len(word) > 1 && word[0] == '-':
			i = s.letters(list, args, i)
		default:
			words = append(words, word)
		}
		if s.opt.help || s.opt.version {
			return words
		}
	}
	return words
}

// several: more than one option begins so.
const several = -2

// long reads --NAME, --NAME=VALUE or --NAME VALUE at args[i] and returns where the last word of it is.
func (s *ss) long(list []ssOption, args []string, i int) int {
	name, value, given := strings.Cut(args[i][2:], "=")
	found := -1
	for k, o := range list {
		if o.long == name && name != "" {
			found = k
			break
		}
		if o.long == "" || !strings.HasPrefix(o.long, name) {
			continue
		}
		if found >= 0 {
			found = several
			continue
		}
		if found == -1 {
			found = k
		}
	}
	switch {
	case found == several:
		s.misused("option '%s' is ambiguous", args[i])
	case found < 0:
		s.misused("unrecognized option '--%s'", name)
	case given && !list[found].value:
		s.misused("option '--%s' doesn't allow an argument", list[found].long)
	case list[found].value && !given:
		if i++; i >= len(args) {
			s.misused("option '--%s' requires an argument", list[found].long)
		}
		value = args[i]
	}
	list[found].set(s, value)
	return i
}

// letters reads -abc, or -aVALUE and -a VALUE for one that takes a value.
func (s *ss) letters(list []ssOption, args []string, i int) int {
	word := args[i]
	for k := 1; k < len(word); k++ {
		var found *ssOption
		for n := range list {
			if list[n].letter == word[k] {
				found = &list[n]
				break
			}
		}
		switch {
		case found == nil:
			s.misused("invalid option -- '%c'", word[k])
		case !found.value:
			found.set(s, "")
		case k+1 < len(word):
			found.set(s, word[k+1:])
			return i
		case i+1 < len(args):
			found.set(s, args[i+1])
			return i + 1
		default:
			s.misused("option requires an argument -- '%c'", word[k])
		}
		if s.opt.help || s.opt.version {
			return i
		}
	}
	return i
}

// misused ends the command with a sentence and the usage.
func (s *ss) misused(format string, args ...any) { die("ss: "+format+"\n"+ssUsage, args...) }

func (s *ss) family(word string) {
	if word == "help" {
		s.opt.help = true
		return
	}
	for _, f := range ssFamilies() {
		if f.name == word {
			s.sel.addFamily(f.family)
			return
		}
	}
	s.misused("\"%s\" is invalid family", word)
}

func (s *ss) query(words string) {
	if !s.queried {
		s.sel.kinds = 0
		if s.states == 0 {
			s.states = ssConnected
		}
		s.queried = true
		s.sel.all = false
	}
	for word := range strings.SplitSeq(words, ",") {
		if !s.sel.query(word) {
			s.misused("\"%s\" is illegal socket table id", word)
		}
	}
}

// filterFile opens the file that conditions are read from; "-" is standard input.
func (s *ss) filterFile(name string) {
	if s.opt.filters != nil {
		die("More than one filter file")
	}
	if strings.HasPrefix(name, "-") {
		s.opt.filters = s.stdio.In
		return
	}
	f, err := os.Open(name)
	if err != nil {
		die("fopen filter file: %s", errnoText(err))
	}
	s.opt.filters, s.opt.close = f, f.Close
}

// fileWords are the words of the file of conditions, without lines that are comments.
func fileWords(r io.Reader) []string {
	var words []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if line != "" && line[0] != '#' && line[0] != '0' {
			words = append(words, line)
		}
	}
	return words
}
