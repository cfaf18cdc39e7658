package nft

import (
	"fmt"
	"strings"
	"time"

	"warren/state"
)

// Text is a table as "nft list table" prints it, ready to be loaded by "nft -f" when it holds nothing opaque.
func Text(t state.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %s %s {\n", t.Family, t.Name)
	if t.Comment != "" {
		fmt.Fprintf(&b, "\tcomment \"%s\"\n", t.Comment)
	}
	if f := tableFlagWords(t.Flags); f != "" {
		fmt.Fprintf(&b, "\tflags %s\n", f)
	}
	gap := ""
	if t.Flags&7 != 0 {
		gap = "\n"
	}
	for _, s := range t.Sets {
		b.WriteString(gap)
		gap = "\n"
		namedSetText(&b, s)
	}
	for _, c := range t.Chains {
		b.WriteString(gap)
		gap = "\n"
		chainText(&b, t.Family, c)
	}
	b.WriteString("}\n")
	return b.String()
}

func tableFlagWords(flags uint32) string {
	var words []string
	for i, w := range []string{"dormant", "owner", "persist"} {
		if flags&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return strings.Join(words, ",")
}

func typesText(types []state.DataType) string {
	parts := make([]string, len(types))
	for i, t := range types {
		parts[i] = string(t)
	}
	return strings.Join(parts, " . ")
}

func namedSetText(b *strings.Builder, s state.Set) {
	kind, typ := "set", typesText(s.Key)
	if len(s.Data) > 0 {
		kind, typ = "map", typ+" : "+typesText(s.Data)
		if s.DataInterval {
			typ = typesText(s.Key) + " : interval " + typesText(s.Data[:1])
		}
	}
	fmt.Fprintf(b, "\t%s %s {\n\t\ttype %s\n", kind, s.Name, typ)
	var flags []string
	for _, f := range []struct {
		on   bool
		word string
	}{{s.Constant, "constant"}, {s.Dynamic, "dynamic"}, {s.Interval, "interval"}, {s.Timeout, "timeout"}} {
		if f.on {
			flags = append(flags, f.word)
		}
	}
	if flags != nil {
		fmt.Fprintf(b, "\t\tflags %s\n", strings.Join(flags, ","))
	}
	if s.TimeoutMS > 0 {
		fmt.Fprintf(b, "\t\ttimeout %s\n", duration(time.Duration(s.TimeoutMS)*time.Millisecond))
	}
	for _, st := range s.Statements {
		fmt.Fprintf(b, "\t\t%s\n", st)
	}
	if s.Comment != "" {
		fmt.Fprintf(b, "\t\tcomment \"%s\"\n", s.Comment)
	}
	if list := elements(s.Elements); len(list) > 0 {
		per := perLine(s)
		b.WriteString("\t\telements = { ")
		for i, e := range list {
			switch {
			case i == 0:
			case i%per == 0:
				b.WriteString(",\n\t\t\t     ")
			default:
				b.WriteString(", ")
			}
			b.WriteString(e)
		}
		b.WriteString(" }\n")
	}
	b.WriteString("\t}\n")
}

// perLine is how many elements nft puts on a line.
func perLine(s state.Set) int {
	if len(s.Key) > 1 {
		return 1
	}
	switch s.Key[0] {
	case state.TypeIPv4, state.TypeMark:
		return 2
	case state.TypePort, state.TypeProto, state.TypeInteger:
		return 5
	}
	return 1
}

func chainText(b *strings.Builder, family string, c state.Chain) {
	fmt.Fprintf(b, "\tchain %s {\n", c.Name)
	if c.Comment != "" {
		fmt.Fprintf(b, "\t\tcomment \"%s\"\n", c.Comment)
	}
	if h := c.Hook; h != nil {
		device := ""
		if len(h.Devices) == 1 {
			device = fmt.Sprintf(" device %q", h.Devices[0])
		} else if len(h.Devices) > 1 {
			device = " devices = { " + strings.Join(h.Devices, ", ") + " }"
		}
		policy := h.Policy
		if policy == "" {
			policy = "accept"
		}
		fmt.Fprintf(b, "\t\ttype %s hook %s%s priority %s; policy %s;\n", h.Type, h.Hook, device, Priority(family, *h), policy)
	}
	for _, r := range c.Rules {
		fmt.Fprintf(b, "\t\t%s\n", RuleText(family, r))
	}
	b.WriteString("\t}\n")
}

// Priority is a base chain's priority as nft prints it: a number, or a word when one is at most ten away.
func Priority(family string, h state.Hook) string {
	names := []priorityName{
		{"raw", -300, ""},
		{"mangle", -150, ""},
		{"dstnat", -100, "prerouting"},
		{"filter", 0, ""},
		{"security", 50, ""},
		{"srcnat", 100, "postrouting"},
	}
	switch family {
	case "bridge":
		names = []priorityName{{"dstnat", -300, "prerouting"}, {"filter", -200, ""}, {"out", 100, "output"}, {"srcnat", 300, "postrouting"}}
	case "arp", "netdev":
		names = []priorityName{{"filter", 0, ""}}
	}
	for _, n := range names {
		d := h.Priority - n.value
		if n.hook != "" && n.hook != h.Hook || d < -10 || d > 10 {
			continue
		}
		switch {
		case d > 0:
			return fmt.Sprintf("%s + %d", n.word, d)
		case d < 0:
			return fmt.Sprintf("%s - %d", n.word, -d)
		}
		return n.word
	}
	return fmt.Sprint(h.Priority)
}

type priorityName struct {
	word  string
	value int32
	hook  string // the only hook that has it; "" = all
}
