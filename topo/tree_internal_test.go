package topo

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func dump(t *tree, in string) {
	if t == nil {
		fmt.Println("nil")
		return
	}
	fmt.Println(in, t.kind, t.pos, t.text)
	for i, v := range t.vals {
		if t.kind == treeMap {
			fmt.Println(in, "K", t.keys[i].pos, t.keys[i].text)
		}
		dump(v, in+"  ")
	}
}
func TestX(t *testing.T) {
	for _, s := range []string{"a: [8080:80, 127.0.0.1:53:53/udp, web: 10.0.0.1/24]\nb: {x: on, y: 22:22, z: 0x10, n: null}\nc: 'q'\nd: ~\ne: \nf: |\n  hi\n  ho\nlinks:\n  - fw -- web: {name: mgmt}\n  - a -- b\nh[1-50]: {a: b}\nq: {h[1-50]: x}\nl: [h[1-50], a[1-3][1-4], r[01-03]]\n", "a: 1\na: 2\n", "a: &x {k: [1]}\nb: *x\nc: {<<: *x}\n", "- a\n---\n- b\n", "nets:\n  lan: [h1, r\nfoo: bar", "a: 40ms±5ms\n\tb: 1", "a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", "a: &a [*a]", "? a\n: b\n", "!!str a: b", "a: !foo b", "[a, b]: c", "{a: b}: c", "1: 2\ntrue: 3\n"} {
		p := &problems{file: "x"}
		tr := readTree(p, []byte(s))
		dump(tr, "")
		fmt.Println("ERR", p.err())
	}
	for name, s := range map[string]string{
		"flat":      strings.Repeat("k: [a, b, c, d, e, f, g, h]\n", 1<<15),
		"list":      strings.Repeat("- abc\n", 1<<17),
		"longline":  "a: " + strings.Repeat("x", 1<<20),
		"longflow":  "a: [" + strings.Repeat("x, ", 1<<18) + "]",
		"dq":        "a: \"" + strings.Repeat("\\n", 1<<19) + "\"",
		"comments":  strings.Repeat("# hallo\n", 1<<17),
		"spaces":    strings.Repeat(" ", 1<<20),
		"newlines":  strings.Repeat("\n", 1<<20),
		"literal":   "a: |\n" + strings.Repeat("  hallo\n", 1<<17),
		"folded":    "a: b\n" + strings.Repeat("  hallo\n", 1<<17),
		"flowmulti": "a: [\n" + strings.Repeat("  hallo,\n", 1<<17) + "]",
		"deep1000":  strings.Repeat("[", 1000),
		"brk":       strings.Repeat("[", 1<<20),
		"brk2":      strings.Repeat("{a: ", 1<<18),
		"dash":      strings.Repeat("- ", 1<<19),
		"dashnl": func() string {
			var b strings.Builder
			for i := range 1400 {
				b.WriteString(strings.Repeat(" ", i) + "-\n")
			}
			return b.String()
		}(),
		"mapnl": func() string {
			var b strings.Builder
			for i := range 1400 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(),
		"q":      strings.Repeat("? ", 1<<19),
		"qnl":    strings.Repeat("?\n", 1<<19),
		"colon":  strings.Repeat("a: ", 1<<18),
		"anch":   strings.Repeat("&a ", 1<<18),
		"anchnl": strings.Repeat("&a\n", 1<<18),
		"tag":    strings.Repeat("!a ", 1<<18),
		"tagnl":  strings.Repeat("!a\n", 1<<18),
		"pipes":  strings.Repeat("|\n", 1<<19),
		"quot":   strings.Repeat("'", 1<<20),
		"cr":     strings.Repeat("\r", 1<<20),
		"docs":   strings.Repeat("---\n", 1<<18),
		"docs2":  strings.Repeat("--- a\n", 1<<17),
		"dir":    strings.Repeat("%YAML 1.2\n", 1<<17),
		"ranges": strings.Repeat("h[1-5]", 1<<17),
		"keys": func() string {
			var b strings.Builder
			for i := range 100000 {
				fmt.Fprintf(&b, "k%d: x\n", i)
			}
			return b.String()
		}(),
		"keysd": func() string {
			var b strings.Builder
			b.WriteString("a:\n b:\n  c:\n   d:\n")
			for i := range 60000 {
				fmt.Fprintf(&b, "    k%d: {a: {b: {c: d}}}\n", i)
			}
			return b.String()
		}(),
		"flowkeys": func() string {
			var b strings.Builder
			b.WriteString("a: {")
			for i := range 60000 {
				fmt.Fprintf(&b, "k%d: x, ", i)
			}
			return b.String() + "}"
		}(),
	} {
		t0 := time.Now()
		p := &problems{}
		readTree(p, []byte(s))
		fmt.Println(name, len(s), time.Since(t0), p.err())
	}
}
