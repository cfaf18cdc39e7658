package warren

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"warren/internal/nft"
	"warren/plan"
)

// A Difference is one field of one object that is not as it was declared.
type Difference struct {
	NS string `json:"ns"`
	// Object says which: "link lan", "addr 10.0.0.2/24 dev lan", "sysctl net.ipv4.ip_forward", "table inet warren".
	Object string `json:"object"`
	// Field of the object; "" = the object as a whole, and then Have or Want is "" where there is none.
	Field string `json:"field,omitempty"`
	Have  string `json:"have"`
	Want  string `json:"want"`
}

// differences tells steps as what is against what should be, in their order. Of a namespace that is missing nothing but that
// is told, for all that was in it is missing too.
func differences(steps []plan.Step) []Difference {
	missing := map[string]bool{}
	gone := map[string]*plan.Step{} // what is removed only to be made anew
	for i := range steps {
		s := &steps[i]
		if s.Verb() == plan.Create && s.After.Namespace != nil {
			missing[s.NS] = true
		}
		if s.Verb() == plan.Delete {
			gone[s.NS+" "+objectName(s.Before)] = s
		}
	}
	renewed := map[*plan.Step]bool{}
	var out []Difference
	for i := range steps {
		s := steps[i]
		if s.Verb() == plan.Create && s.After.Namespace != nil {
			out = append(out, Difference{NS: s.NS, Object: "namespace", Want: s.NS})
			continue
		}
		old := gone[s.NS+" "+objectName(s.After)]
		if s.Verb() == plan.Create && old != nil {
			renewed[old] = true
			s.Before = old.Before
		}
		if missing[s.NS] || leadsTo(s.After, missing) {
			continue
		}
		out = append(out, fields(s)...)
	}
	return slices.DeleteFunc(out, func(d Difference) bool {
		old := gone[d.NS+" "+d.Object]
		return old != nil && renewed[old] && d.Want == "" && d.Field == ""
	})
}

// leadsTo reports whether an object is a cable with an end in one of the namespaces.
func leadsTo(o plan.Object, ns map[string]bool) bool {
	return o.Cable != nil && (ns[o.Cable.A.NS] || ns[o.Cable.B.NS])
}

// objectName identifies an object in its namespace.
func objectName(o plan.Object) string {
	switch {
	case o.Namespace != nil:
		return "namespace"
	case o.Cable != nil:
		return "link " + o.Cable.A.Link.Name
	case o.Link != nil:
		return "link " + o.Link.Name
	case o.Sysctl != nil:
		return "sysctl " + o.Sysctl.Dotted()
	case o.Elements != nil:
		return "set " + o.Elements.Set + " of table " + o.Elements.Family + " " + o.Elements.Table
	case o.Route != nil:
		name, _, _ := strings.Cut(o.String(), " via ")
		name, _, _ = strings.Cut(name, " dev ")
		return name
	}
	return o.String()
}

func fields(s plan.Step) []Difference {
	name := objectName(s.Object())
	one := func(field, have, want string) Difference {
		return Difference{NS: s.NS, Object: name, Field: field, Have: have, Want: want}
	}
	switch {
	case s.Before.Table != nil && s.After.Table != nil:
		return tableLines(nft.Text(*s.Before.Table), nft.Text(*s.After.Table), one)
	case s.Object().Elements != nil:
		return []Difference{one("", elementWords(s.Before.Elements), elementWords(s.After.Elements))}
	case s.Object().Sysctl != nil && s.Before.Sysctl == nil:
		return []Difference{one("value", "", s.After.Sysctl.Value)}
	case s.Verb() == plan.Create:
		return []Difference{one("", "", s.After.String())}
	case s.Verb() == plan.Delete:
		return []Difference{one("", s.Before.String(), "")}
	case s.After.Cable != nil: // made anew, and what a birth does not say is no difference
		return []Difference{one("", s.Before.String(), s.After.String())}
	}
	have, want := flat(s.Before), flat(s.After)
	var out []Difference
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if have[k] != want[k] {
			out = append(out, one(k, have[k], want[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(have)) {
		if _, ok := want[k]; !ok {
			out = append(out, one(k, have[k], ""))
		}
	}
	return out
}

func elementWords(e *plan.Elements) string {
	if e == nil {
		return ""
	}
	var words []string
	for _, el := range e.Elements {
		if el.Comment != "" {
			words = append(words, el.Comment)
		}
	}
	return strings.Join(words, ", ")
}

// flat lists an object's fields by name, as its JSON has them: "mtu", "bridge.stp".
func flat(o plan.Object) map[string]string {
	out := map[string]string{}
	data, err := json.Marshal(o)
	if err != nil {
		panic(fmt.Sprintf("object %s does not marshal: %v", o, err)) // plain data always does
	}
	var kinds map[string]any
	if err := json.Unmarshal(data, &kinds); err != nil {
		panic(fmt.Sprintf("object %s does not read back: %v", o, err))
	}
	for _, v := range kinds {
		flatten(out, "", v)
	}
	return out
}

func flatten(out map[string]string, name string, v any) {
	join := func(k string) string { return strings.TrimPrefix(name+"."+k, ".") }
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(out, join(k), x)
		}
	case []any:
		var words []string
		for i, x := range v {
			if _, deep := x.(map[string]any); deep {
				flatten(out, join(fmt.Sprint(i)), x)
				continue
			}
			words = append(words, fmt.Sprint(x))
		}
		if words != nil {
			out[name] = strings.Join(words, " ")
		}
	case float64:
		out[name] = fmt.Sprintf("%.0f", v)
	default:
		out[name] = fmt.Sprint(v)
	}
}

// tableLines compares two nftables tables line by line. The field is the chain, set or map that the line is in.
func tableLines(have, want string, one func(field, have, want string) Difference) []Difference {
	h, w := linesIn(have), linesIn(want)
	var out []Difference
	for _, l := range w {
		if !slices.Contains(h, l) {
			out = append(out, one(l[0], "", l[1]))
		}
	}
	for _, l := range h {
		if !slices.Contains(w, l) {
			out = append(out, one(l[0], l[1], ""))
		}
	}
	if len(out) == 0 { // the same lines in another order
		out = append(out, one("order", "another one", "as declared"))
	}
	return out
}

// linesIn are the lines of a table, each with the name of the block that it is in.
func linesIn(text string) [][2]string {
	var out [][2]string
	block := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line == "}" || strings.HasPrefix(line, "table "):
		case strings.HasSuffix(line, "{"):
			block = strings.TrimSpace(strings.TrimSuffix(line, "{"))
		default:
			out = append(out, [2]string{block, line})
		}
	}
	return out
}
