package draw

import (
	"fmt"
	"slices"
	"strings"

	"warren/reach"
)

// Sizes of the picture of a path, in pixels.
const (
	laneWidth  = 250
	laneGap    = 26
	laneMargin = 20
	stepGap    = 12
	letter     = 12 // size of the letters of steps
	leading    = 15
	stepInset  = 16 // of a box's text, both sides together
	stepLines  = 4
)

// VerdictSVG draws the walk: a lane for each namespace, in the order in which the packet comes to them, the request above and
// the reply below, and the place where it dies in red.
func VerdictSVG(v *reach.Verdict) string {
	lanes := lanesOf(v)
	line, class := strings.ToUpper(v.Reachable), "answer-"+v.Reachable
	if v.Reason != nil {
		line += ": " + Outcome(v) + ", " + string(v.Reason.Code)
	}
	head := QuestionText(&v.Query)
	width := max(2*laneMargin+max(2, len(lanes))*(laneWidth+laneGap)-laneGap, 2*laneMargin+textWidth(head, 16, true), 2*laneMargin+textWidth(line, letter, true))
	why := whyLines(v, width-2*laneMargin)
	top := 62 + len(why)*leading
	height := top + 30 + wayHeight(v.Request) + laneMargin
	if len(v.Reply) > 0 {
		height += 2*leading + wayHeight(v.Reply)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="%d">`+"\n", width, height, width, height, letter)
	b.WriteString(verdictStyle)
	fmt.Fprintf(&b, `<title>%s</title>`+"\n", escape(head))
	fmt.Fprintf(&b, `<text class="head" x="%d" y="26">%s</text>`+"\n", laneMargin, escape(head))
	fmt.Fprintf(&b, `<text class="%s" x="%d" y="48">%s</text>`+"\n", class, laneMargin, escape(line))
	for i, text := range why {
		fmt.Fprintf(&b, `<text class="why" x="%d" y="%d">%s</text>`+"\n", laneMargin, 48+(i+1)*leading, escape(text))
	}
	for i, name := range lanes {
		x := laneMargin + i*(laneWidth+laneGap)
		fmt.Fprintf(&b, `<rect class="lane" x="%d" y="%d" width="%d" height="%d" rx="6"/><text class="name" x="%d" y="%d" text-anchor="middle">%s</text>`+"\n",
			x, top, laneWidth, height-top-laneMargin/2, x+laneWidth/2, top+18, escape(fit(printable(name), letter, laneWidth-stepInset, true)))
	}
	y := top + 30
	y = drawWay(&b, v, reach.Request, v.Request, lanes, y)
	if len(v.Reply) > 0 {
		fmt.Fprintf(&b, `<text class="dim" x="%d" y="%d">reply</text>`+"\n", laneMargin+6, y+leading)
		drawWay(&b, v, reach.Reply, v.Reply, lanes, y+2*leading)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

const verdictStyle = `<style>
.lane{fill:#f6f7f9;stroke:#c9ced6}.name{font-weight:bold;fill:#333}.head{font-size:16px;font-weight:bold;fill:#111}
.answer-yes{fill:#1a7f37;font-weight:bold}.answer-no{fill:#b42318;font-weight:bold}.answer-unknown{fill:#9a6700;font-weight:bold}
.ok rect{fill:#fff;stroke:#8a94a3}.bad rect{fill:#fde4e1;stroke:#b42318;stroke-width:2}.later rect{fill:#fff;stroke:#b42318;stroke-dasharray:4 3}
.doubt rect{fill:#fff6d6;stroke:#9a6700}.ok text,.bad text,.doubt text,.later text{fill:#222}.dim{fill:#777}.way{fill:none;stroke:#57606a;stroke-width:1.5}
.why{fill:#333}.would{opacity:.55}
</style>
`

// lanesOf lists the namespaces of the steps in order.
func lanesOf(v *reach.Verdict) []string {
	var out []string
	seen := map[string]bool{}
	for _, part := range [][]reach.Step{v.Request, v.Reply} {
		for _, s := range part {
			if !seen[s.Namespace] {
				seen[s.Namespace] = true
				out = append(out, s.Namespace)
			}
		}
	}
	return out
}

// whyLines are the reason and what helps first.
func whyLines(v *reach.Verdict, wide int) []string {
	if v.Reason == nil {
		return nil
	}
	lines := wrap(v.Reason.Text, letter, wide, 3)
	if len(v.Reason.Fix) > 0 {
		lines = append(lines, fit("fix: "+printable(v.Reason.Fix[0]), letter, wide, false))
	}
	return lines
}

// stepText is what a box says.
func stepText(s *reach.Step) []string {
	text := s.Text
	if s.Code != "" {
		text = string(s.Code) + ": " + text
	}
	return wrap(text, letter, laneWidth-2*stepInset, stepLines)
}

func stepHeight(s *reach.Step) int { return leading*max(1, len(stepText(s))) + 13 }

func wayHeight(steps []reach.Step) int {
	h := 0
	for i := range steps {
		h += stepHeight(&steps[i]) + stepGap
	}
	return h
}

// drawWay draws one direction from y downwards, and returns where it ends.
func drawWay(b *strings.Builder, v *reach.Verdict, dir string, steps []reach.Step, lanes []string, y int) int {
	var lastX, lastY int
	// What comes after the first obstacle is what would be if it were gone.
	would := v.Failed != nil && *v.Failed == reach.Request && dir == reach.Reply
	for i := range steps {
		s := &steps[i]
		lane := max(0, slices.Index(lanes, s.Namespace))
		x := laneMargin + lane*(laneWidth+laneGap) + 8
		class := "ok"
		if would {
			class = "ok would"
		}
		switch {
		case s.Unknown:
			class = "doubt"
		case !s.OK && v.Reason != nil && v.Failed != nil && *v.Failed == dir && v.Reason.Step == s.Seq:
			class, would = "bad", true
		case !s.OK:
			class = "later"
		}
		mid := x + (laneWidth-16)/2
		if i > 0 {
			fmt.Fprintf(b, `<path class="way" d="M%d %dL%d %d"/>`+"\n", lastX, lastY, mid, y)
		}
		high := stepHeight(s)
		fmt.Fprintf(b, `<g class="%s"><rect x="%d" y="%d" width="%d" height="%d" rx="4"/><title>%s</title>`, class, x, y, laneWidth-16, high, escape(s.Stage+": "+s.Text))
		for j, text := range stepText(s) {
			fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`, x+8, y+18+j*leading, escape(text))
		}
		b.WriteString("</g>\n")
		lastX, lastY = mid, y+high
		y += high + stepGap
	}
	return y
}
