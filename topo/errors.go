package topo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Pos is a place in a lab file; lines and columns count from 1. The zero Pos is nowhere (a lab built in Go).
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error is one problem of a lab file. [Parse], [Lab.Validate] and [Expand] return all problems joined (errors.Join), in
// the order of their places.
type Error struct {
	File   string
	Line   int // 0 = not known
	Column int
	Msg    string
	Hint   string // what would help; ""
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString(" (hint: " + e.Hint + ")")
	}
	return b.String()
}

// Problems takes apart what Parse, Validate and Expand return. It returns nil when err holds no *Error.
func Problems(err error) []*Error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*Error
		for _, e := range many.Unwrap() {
			out = append(out, Problems(e)...)
		}
		return out
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return []*Error{e}
	}
	return nil
}

// maxProblems ends the search: after so many nobody reads on.
const maxProblems = 50

// problems collects errors.
type problems struct {
	file string
	list []*Error
}

func (p *problems) add(at Pos, hint, format string, args ...any) {
	if len(p.list) >= maxProblems {
		return
	}
	p.list = append(p.list, &Error{File: p.file, Line: at.Line, Column: at.Column, Msg: fmt.Errorf(format, args...).Error(), Hint: hint})
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, 0, len(p.list))
	for i, e := range p.list {
		if i > 0 && *e == *p.list[i-1] {
			continue
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// Nearest returns the candidate that a typing mistake would explain, or "".
func Nearest(word string, candidates []string) string { return nearest(word, candidates) }

// nearest returns the candidate that a typing mistake would explain, or "".
func nearest(word string, candidates []string) string {
	if len(word) < 2 || len(word) > 40 {
		return ""
	}
	best, bestD := "", (len(word)+4)/5
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d <= bestD && (best == "" || d < bestD) {
			best, bestD = c, d
		}
	}
	return best
}

// distance is the number of edits (insert, delete, replace, swap neighbours) between two words.
func distance(a, b string) int {
	var before, prev []int
	cur := make([]int, len(b)+1)
	for j := range cur {
		cur[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, prev, cur = prev, cur, make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return cur[len(b)]
}
