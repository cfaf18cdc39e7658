package iproute

import (
	"golang.org/x/sys/unix"
)

// options are what comes before the object.
type options struct {
	family   int // unix.AF_*, afBridge
	human    bool
	details  bool
	stats    int
	oneline  bool
	resolve  bool
	brief    bool
	json     bool
	pretty   bool
	numeric  bool
	all      bool
	force    bool
	batch    string
	netns    string
	version  bool
	help     bool
	time     bool
	compress bool   // bridge -compressvlans
	color    string // always, auto, never; "" = never
	iec      bool   // powers of 1024 with -h
	short    bool   // time stamps in one line
	loops    uint32 // of a flush; 0 = without end
	echo     bool   // a change is shown as the kernel tells of it
}

// An option is any beginning of its name after one or two dashes; the first that fits counts.
type option struct {
	name string
	set  func(o *options, w *words)
}

// parseOptions reads the options in front of the object.
func parseOptions(w *words, p Personality) options {
	var o options
	list := ipOptions()
	if p == Bridge {
		list = bridgeOptions()
	}
	for w.more() {
		word := w.peek()
		if word == "--" {
			w.skip()
			break
		}
		if len(word) == 0 || word[0] != '-' {
			break
		}
		name := word
		if len(name) > 1 && name[1] == '-' {
			name = name[1:]
		}
		if !setOption(&o, name, w, list) {
			die("Option \"%s\" is unknown, try \"%s -help\".", name, p)
		}
		w.skip()
	}
	return o
}

func setOption(o *options, name string, w *words, list []option) bool {
	for _, opt := range list {
		if opt.name == "-color" {
			if mode, ok := colorMode(name); ok {
				o.color = mode
				return true
			}
			continue
		}
		if matches(name, opt.name) && (opt.name != "-echo" || name == opt.name) { // no part of it will do
			opt.set(o, w)
			return true
		}
	}
	return false
}

func ipOptions() []option {
	return []option{
		{"-loops", func(o *options, w *words) { o.loops = uint32(atoi(w.next())) }},
		{"-family", func(o *options, w *words) { o.family = familyOf(w.next()) }},
		{"-4", func(o *options, _ *words) { o.family = unix.AF_INET }},
		{"-6", func(o *options, _ *words) { o.family = unix.AF_INET6 }},
		{"-0", func(o *options, _ *words) { o.family = unix.AF_PACKET }},
		{"-M", func(o *options, _ *words) { o.family = unix.AF_MPLS }},
		{"-B", func(o *options, _ *words) { o.family = unix.AF_BRIDGE }},
		{"-human-readable", func(o *options, _ *words) { o.human = true }},
		{"-details", func(o *options, _ *words) { o.details = true }},
		{"-statistics", func(o *options, _ *words) { o.stats++ }},
		{"-stats", func(o *options, _ *words) { o.stats++ }},
		{"-iec", func(o *options, _ *words) { o.iec = true }},
		{"-oneline", func(o *options, _ *words) { o.oneline = true }},
		{"-resolve", func(o *options, _ *words) { o.resolve = true }},
		{"-timestamp", func(o *options, _ *words) { o.time = true }},
		{"-tshort", func(o *options, _ *words) { o.time, o.short = true, true }},
		{"-Version", func(o *options, _ *words) { o.version = true }},
		{"-force", func(o *options, _ *words) { o.force = true }},
		{"-batch", func(o *options, w *words) { o.batch = w.next() }},
		{"-brief", func(o *options, _ *words) { o.brief = true }},
		{"-json", func(o *options, _ *words) { o.json = true }},
		{"-rcvbuf", func(_ *options, w *words) { u32(w.next(), "rcvbuf size") }},
		{"-color", nil},
		{"-help", func(o *options, _ *words) { o.help = true }},
		{"-netns", netnsOption},
		{"-Numeric", func(o *options, _ *words) { o.numeric = true }},
		{"-all", func(o *options, _ *words) { o.all = true }},
		{"-pretty", func(o *options, _ *words) { o.pretty = true }},
		{"-echo", func(o *options, _ *words) { o.echo = true }},
	}
}

func bridgeOptions() []option {
	return []option{
		{"-help", func(o *options, _ *words) { o.help = true }},
		{"-Version", func(o *options, _ *words) { o.version = true }},
		{"-stats", func(o *options, _ *words) { o.stats++ }},
		{"-statistics", func(o *options, _ *words) { o.stats++ }},
		{"-details", func(o *options, _ *words) { o.details = true }},
		{"-oneline", func(o *options, _ *words) { o.oneline = true }},
		{"-timestamp", func(o *options, _ *words) { o.time = true }},
		{"-family", func(o *options, w *words) { o.family = familyOf(w.next()) }},
		{"-4", func(o *options, _ *words) { o.family = unix.AF_INET }},
		{"-6", func(o *options, _ *words) { o.family = unix.AF_INET6 }},
		{"-netns", netnsOption},
		{"-color", nil},
		{"-compressvlans", func(o *options, _ *words) { o.compress = true }},
		{"-force", func(o *options, _ *words) { o.force = true }},
		{"-json", func(o *options, _ *words) { o.json = true }},
		{"-pretty", func(o *options, _ *words) { o.pretty = true }},
		{"-batch", func(o *options, w *words) { o.batch = w.next() }},
	}
}

// netnsOption reads the name of a namespace. None at all is no name, lest a script whose variable is empty works on its own namespace.
func netnsOption(o *options, w *words) {
	if o.netns = w.next(); o.netns == "" {
		die("Cannot open network namespace \"\": No such file or directory")
	}
}

func familyOf(word string) int {
	switch word {
	case "inet":
		return unix.AF_INET
	case "inet6":
		return unix.AF_INET6
	case "link":
		return unix.AF_PACKET
	case "mpls":
		return unix.AF_MPLS
	case "bridge":
		return unix.AF_BRIDGE
	case "help":
		panic(&failure{code: exitUsage, text: ipUsage, abort: true})
	}
	invalid("invalid protocol family", word)
	return 0
}
