package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A table is what was found, a line for each target.
type table struct{ rows []string }

// ratio adds a line for median(a)/median(b). The target is at most target, or at least -target when that is negative.
// counts is false where the ratio is only for information. Without samples of either there is no line.
func (t *table) ratio(what string, a, b []time.Duration, target float64, counts bool) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	x, y := median(a), median(b)
	r := float64(x) / float64(y)
	wanted, ok := fmt.Sprintf("<= %.4g", target), r <= target
	if target < 0 {
		wanted, ok = fmt.Sprintf(">= %.4g", -target), r >= -target
	}
	t.row(what, fmt.Sprintf("%.2f (%s / %s)", r, short(x), short(y)), wanted, ok, counts)
}

func (t *table) value(what string, d, target time.Duration, counts bool) {
	t.row(what, short(d), "< "+short(target), d < target, counts)
}

func (t *table) number(what string, v float64, unit string, target float64) {
	t.row(what, fmt.Sprintf("%.3g %s", v, unit), fmt.Sprintf("<= %.4g %s", target, unit), v <= target, true)
}

// count adds a line for how often something happened.
func (t *table) count(what string, n, target int) {
	t.row(what, fmt.Sprint(n), fmt.Sprintf("<= %d", target), n <= target, true)
}

func (t *table) row(what, got, wanted string, ok, counts bool) {
	verdict := "met"
	switch {
	case !counts:
		wanted, verdict = "-", "-"
	case !ok:
		verdict = "**missed**"
	}
	t.rows = append(t.rows, fmt.Sprintf("| %s | %s | %s | %s |", what, got, wanted, verdict))
}

func (t *table) markdown() string {
	return "| what | median | target | |\n| --- | --- | --- | --- |\n" + strings.Join(t.rows, "\n") + "\n"
}

func median(list []time.Duration) time.Duration { return middle(list) }

// middle is the median, of an even number of values the upper one; the zero value of none.
func middle[T cmp.Ordered](list []T) T {
	var zero T
	if len(list) == 0 {
		return zero
	}
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}

func short(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// Marks between which the table stands in the README.
const (
	beginMark = "<!-- table: go run ./bench -write -->\n"
	endMark   = "<!-- end of table -->\n"
)

func writeReadme(path, text string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(data), beginMark)
	_, tail, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks for the table", path)
	}
	return os.WriteFile(path, []byte(head+beginMark+text+endMark+tail), 0o644)
}
