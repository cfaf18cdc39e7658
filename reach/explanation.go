package reach

import (
	"slices"
	"strings"
)

// An Explanation says what a code means to people.
type Explanation struct {
	Code  Code
	Means string // what is the case
	Looks string // how it looks to the user
	See   string // how to see it with plain tools
	Fix   string
}

// Explanations lists all codes, in the order of a packet's way.
func Explanations() []Explanation {
	return slices.Concat(pathReasons(), linkReasons(), hostReasons())
}

// ReasonsPage is docs/reasons.md.
func ReasonsPage() string {
	var b strings.Builder
	b.WriteString(`# Reasons

Why a packet does not arrive, as "warren why" names it. Codes are stable: a code is never renamed nor given another meaning; texts may
change. Every reason comes with the namespace and the object in which the cause lies, with what was read, and with commands that
remove it. This page is made from the table in package reach.

`)
	b.WriteString("| code | what it means | how it looks | how to see it with plain tools | fix |\n| --- | --- | --- | --- | --- |\n")
	for _, e := range Explanations() {
		for i, cell := range []string{"`" + string(e.Code) + "`", e.Means, e.Looks, e.See, e.Fix} {
			if i == 0 {
				b.WriteString("| ")
			}
			b.WriteString(strings.ReplaceAll(cell, "|", "\\|") + " | ")
		}
		b.WriteString("\n")
	}
	return strings.ReplaceAll(b.String(), " | \n", " |\n")
}
