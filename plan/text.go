package plan

import (
	"fmt"
	"strings"
)

// String is the step on one line: sign, object, reason.
func (s Step) String() string {
	var b strings.Builder
	what := s.Object().String()
	switch s.Verb() {
	case Create:
		b.WriteString("+ ")
	case Delete:
		b.WriteString("- ")
	case Change:
		b.WriteString("~ ")
		if s.After.Link != nil && s.Before.Link != nil {
			what = strings.TrimSpace(s.After.Link.Kind + " " + s.After.Link.Name + " " + s.linkChange())
		}
	}
	b.WriteString(what)
	if s.Reason != "" {
		b.WriteString("  (" + s.Reason + ")")
	}
	return b.String()
}

func (s Step) linkChange() string {
	before, after := s.Before.Link, s.After.Link
	words := []string{}
	if w := changeWords(before, after); w != "" {
		words = append(words, w)
	}
	add, remove := altNameChange(before, after)
	for _, a := range add {
		words = append(words, "altname "+a)
	}
	for _, a := range remove {
		words = append(words, "without altname "+a)
	}
	for _, o := range attributeWords(before, after) {
		words = append(words, o.key+" "+o.value)
	}
	return strings.Join(words, " ")
}

// Count tells how many steps make, change and remove.
func (p Plan) Count() (create, change, remove int) {
	for i := range p.Steps {
		switch p.Steps[i].Verb() {
		case Create:
			create++
		case Change:
			change++
		case Delete:
			remove++
		}
	}
	return create, change, remove
}

// Text is the plan for a person: per namespace one line for each object, then the numbers. Links that come up as part of
// being made are not told apart.
func (p Plan) Text() string {
	var b strings.Builder
	if p.Empty() {
		fmt.Fprintf(&b, "lab %s: nothing to do\n", p.Lab)
		p.others(&b)
		return b.String()
	}
	var order []string
	group := map[string][]int{}
	for i := range p.Steps {
		ns := p.Steps[i].NS
		if _, ok := group[ns]; !ok {
			order = append(order, ns)
		}
		group[ns] = append(group[ns], i)
	}
	for _, ns := range order {
		p.place(&b, ns, group[ns])
	}
	create, change, remove := p.Count()
	fmt.Fprintf(&b, "lab %s: %d to make, %d to change, %d to remove\n", p.Lab, create, change, remove)
	p.others(&b)
	return b.String()
}

func (p Plan) place(b *strings.Builder, ns string, steps []int) {
	made, removed := -1, -1
	for _, i := range steps {
		if s := &p.Steps[i]; s.Object().Namespace != nil {
			if s.Verb() == Create {
				made = i
			} else {
				removed = i
			}
		}
	}
	switch {
	case made >= 0 && removed >= 0:
		fmt.Fprintf(b, "-+ %s", ns)
	case made >= 0:
		fmt.Fprintf(b, "+ %s", ns)
	case removed >= 0:
		fmt.Fprintf(b, "- %s", ns)
	default:
		fmt.Fprintf(b, "  %s", ns)
	}
	if removed >= 0 && p.Steps[removed].Reason != "" {
		fmt.Fprintf(b, "  (%s)", p.Steps[removed].Reason)
	}
	b.WriteByte('\n')
	for _, i := range steps {
		if i != made && i != removed {
			b.WriteString("    " + p.Steps[i].String() + "\n")
		}
	}
	b.WriteByte('\n')
}

func (p Plan) others(b *strings.Builder) {
	for _, o := range p.Other {
		fmt.Fprintf(b, "not ours, left alone: %s in %s\n", o.Object, o.NS)
	}
}
