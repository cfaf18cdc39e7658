package iproute

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

const statsUsage = `Usage: ip stats [ show [ dev DEVICE ] [ group GROUP [ subgroup SUBGROUP [ suite SUITE ] ] ]... ]
       ip stats set dev DEVICE l3_stats { on | off }
GROUP := link
       | { xstats | xstats_slave } [ subgroup bridge [ suite { stp | mcast } ] | subgroup bond [ suite 802.3ad ] ]
       | offload [ subgroup { cpu_hit | hw_stats_info | l3_stats } ]
       | afstats [ subgroup mpls ]`

// Counters beyond those of stats_message.go (linux/if_link.h).
const (
	statsLink64  = 1 // IFLA_STATS_LINK_64
	statsOffload = 4

	xstatsBond = 2 // LINK_XSTATS_TYPE_BOND
	bond3AD    = 1 // BOND_XSTATS_3AD

	offloadCPUHit = 1
	offloadHWInfo = 2
	offloadL3     = 3

	statsGetFilters = 1
	statsSetL3      = 2

	invalidArgument = 22 // EINVAL, which iproute2 makes its exit code
)

// A statsKind is a kind of counters: its names from the group downwards, and what has to be asked for.
type statsKind struct {
	path  []string
	group int // an attribute of the answer
	parts []int
	show  func(*session, *printer, rtnl.Attrs)
}

// statsKinds are in the order in which iproute2 prints them.
func statsKinds() []statsKind {
	bridge := func(group, suite int, show func(*printer, []byte), size int) func(*session, *printer, rtnl.Attrs) {
		return func(_ *session, p *printer, a rtnl.Attrs) {
			if b := a.Nested(group).Nested(xstatsBridge).Bytes(suite); b != nil {
				p.text("%s", p.nl)
				show(p, append(slices.Clone(b), make([]byte, max(0, size-len(b)))...))
			}
		}
	}
	bond := func(group int) func(*session, *printer, rtnl.Attrs) {
		return func(_ *session, p *printer, a rtnl.Attrs) {
			if suite := a.Nested(group).Nested(xstatsBond); suite.Has(bond3AD) {
				p.text("%s", p.nl)
				printBondStats(p, suite.Nested(bond3AD))
			}
		}
	}
	const mcastLen, stpLen = 26 * 8, 6 * 8
	return []statsKind{
		{[]string{"afstats", "mpls"}, statsAFSpec, nil, (*session).showMPLSStats},
		{[]string{"link"}, statsLink64, nil, (*session).showLinkStats},
		{[]string{"offload", "l3_stats"}, statsOffload, []int{offloadL3, offloadHWInfo}, (*session).showL3Stats},
		{[]string{"offload", "hw_stats_info"}, statsOffload, []int{offloadHWInfo}, (*session).showHWInfo},
		{[]string{"offload", "cpu_hit"}, statsOffload, []int{offloadCPUHit}, (*session).showCPUHit},
		{[]string{"xstats_slave", "bond", "802.3ad"}, statsXstatsSlave, nil, bond(statsXstatsSlave)},
		{[]string{"xstats", "bond", "802.3ad"}, statsXstats, nil, bond(statsXstats)},
		{[]string{"xstats_slave", "bridge", "mcast"}, statsXstatsSlave, nil, bridge(statsXstatsSlave, xstatsMcast, printMcastStats, mcastLen)},
		{[]string{"xstats_slave", "bridge", "stp"}, statsXstatsSlave, nil, bridge(statsXstatsSlave, xstatsSTP, printSTPStats, stpLen)},
		{[]string{"xstats", "bridge", "mcast"}, statsXstats, nil, bridge(statsXstats, xstatsMcast, printMcastStats, mcastLen)},
		{[]string{"xstats", "bridge", "stp"}, statsXstats, nil, bridge(statsXstats, xstatsSTP, printSTPStats, stpLen)},
	}
}

// statsLevels name the parts of a path.
func statsLevels() []string { return []string{"group", "subgroup", "suite"} }

// statsObject is "ip stats". Its verbs are not shortened.
func statsObject(s *session, w *words) {
	defer func(stats int) { s.opt.stats = stats }(s.opt.stats)
	if !w.more() {
		s.statsShow(w)
		return
	}
	switch word := w.take(); word {
	case "help":
		s.hint(statsUsage)
	case "show":
		s.opt.stats++ // one more -s
		if s.opt.details {
			s.opt.stats++
		}
		s.statsShow(w)
	case "set":
		s.statsSet(w)
	default:
		fail(exitFailed, "Command \"%s\" is unknown, try \"ip stats help\".", word)
	}
}

// A statsChoice is which kinds are to be shown.
type statsChoice struct {
	path   [3]string
	chosen []bool // of statsKinds
	kinds  []statsKind
}

// at chooses a name on a level: what was chosen before it on this level or below is complete.
func (c *statsChoice) at(level int, name string) {
	for i, above := range c.path[:level] {
		if above == "" {
			fail(invalidArgument, "Error: %s %s requested without selecting a %s first", statsLevels()[level], name, statsLevels()[i])
		}
	}
	for _, old := range c.path[level:] {
		if old != "" {
			c.add()
			break
		}
	}
	clear(c.path[level:])
	c.path[level] = name
}

// add adds all kinds below the path.
func (c *statsChoice) add() {
	for level, name := range c.path {
		if name == "" {
			break
		}
		known, leaf := false, false
		for _, k := range c.kinds {
			if len(k.path) >= level && slices.Equal(k.path[:level], c.path[:level]) {
				leaf = leaf || len(k.path) == level && level > 0
				known = known || len(k.path) > level && k.path[level] == name
			}
		}
		switch {
		case leaf:
			fail(invalidArgument, "Error: %s %s requested inside leaf %s %s", statsLevels()[level], name, statsLevels()[level-1], c.path[level-1])
		case !known:
			inside := "top-level"
			if level > 0 {
				inside = c.path[level-1]
			}
			fail(invalidArgument, "Error: no %s named %s found inside %s", statsLevels()[level], name, inside)
		}
	}
	for i, k := range c.kinds {
		fits := true
		for level, name := range c.path {
			fits = fits && (name == "" || level < len(k.path) && k.path[level] == name)
		}
		c.chosen[i] = c.chosen[i] || fits
	}
}

func (s *session) statsShow(w *words) {
	c := statsChoice{kinds: statsKinds()}
	c.chosen = make([]bool, len(c.kinds))
	dev := ""
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "dev":
			dev = s.statsDevice(w, dev)
		case "help":
			s.hint(statsUsage)
			return
		case "group", "subgroup", "suite":
			c.at(slices.Index(statsLevels(), word), w.next())
		default:
			fail(invalidArgument, "What is \"%s\"?\n%s", word, statsUsage)
		}
	}
	c.add()
	var kinds []statsKind
	for i, k := range c.kinds {
		if c.chosen[i] {
			kinds = append(kinds, k)
		}
	}
	if dev == "" {
		s.statsOfAll(kinds)
		return
	}
	req, err := statsQuery(s.device(dev), kinds).Request(unix.RTM_GETSTATS, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	msgs, err := s.ask(req)
	refused(err)
	for _, m := range msgs {
		s.printStatsOf(p, m.Data, kinds)
	}
}

func (s *session) statsOfAll(kinds []statsKind) {
	req, err := statsQuery(0, kinds).Request(unix.RTM_GETSTATS, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	msgs, err := s.kernel().Dump(s.ctx, req)
	for _, m := range msgs {
		s.printStatsOf(p, m.Data, kinds)
		p.text("%s", p.nl)
	}
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		fail(exitKernel, "%s\nDump terminated", kernelText(err))
	}
}

// statsQuery asks for the kinds of one link, 0 = of all links, and for no more of a group than is shown.
func statsQuery(index uint32, kinds []statsKind) *rtnl.Message {
	m := rtnl.NewMessage(ifStatsLen)
	var groups, parts uint32
	for _, k := range kinds {
		groups |= 1 << (k.group - 1)
		for _, part := range k.parts {
			parts |= 1 << (part - 1)
		}
	}
	native.PutUint32(m.Head()[4:], index)
	native.PutUint32(m.Head()[8:], groups)
	const allParts = 1<<offloadL3 - 1
	if parts != 0 && parts != allParts {
		at := m.Begin(statsGetFilters | unix.NLA_F_NESTED)
		m.U32(statsOffload, parts)
		m.End(at)
	}
	return m
}

// printStatsOf prints the kinds of one link.
func (s *session) printStatsOf(p *printer, data []byte, kinds []statsKind) {
	if len(data) < ifStatsLen {
		return
	}
	index := int(int32(native.Uint32(data[4:])))
	a := rtnl.ParseAttrs(data[ifStatsLen:])
	for _, k := range kinds {
		p.openObject("")
		num(p, "ifindex", "%d:", index)
		p.colored(colorName, "ifname", " %s:", s.nameOf(index))
		for level, name := range k.path {
			p.str(statsLevels()[level], " "+statsLevels()[level]+" %s", name)
		}
		k.show(s, p, a)
		p.closeObject()
		p.text("%s", p.nl)
	}
}

func (s *session) statsDevice(w *words, before string) string {
	name := w.next()
	if before != "" {
		garbage("dev", name)
	}
	if !goodLinkName(name, unix.IFNAMSIZ-1) {
		invalid("\"dev\" not a valid ifname", name)
	}
	return name
}

// statsSet is "ip stats set": it has a link's device count.
func (s *session) statsSet(w *words) {
	dev, which, enable := "", 0, false
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "dev":
			dev = s.statsDevice(w, dev)
		case "l3_stats":
			value := w.next()
			if which != 0 {
				fail(invalidArgument, "A statistics suite to toggle was already given.")
			}
			which = statsSetL3
			if value != "on" && value != "off" {
				fail(invalidArgument, "Error: argument of \"l3_stats\" must be one of \"off\", \"on\", not \"%s\"", value)
			}
			enable = value == "on"
		case "help":
			s.hint(statsUsage)
			return
		default:
			fail(invalidArgument, "What is \"%s\"?\n%s", word, statsUsage)
		}
	}
	switch {
	case dev == "":
		die("Not enough information: \"dev\" argument is required.")
	case which == 0:
		die("Not enough information: stat type to toggle is required.")
	}
	m := rtnl.NewMessage(ifStatsLen)
	native.PutUint32(m.Head()[4:], s.device(dev))
	v := uint8(0)
	if enable {
		v = 1
	}
	m.U8(uint16(which), v)
	const rtmSetStats = 95
	s.do(m.Request(rtmSetStats, 0))
}
