package draw

import (
	"fmt"
	"strings"

	"warren/reach"
)

// Sizes of the picture of a path, in pixels.
const (
	laneWidth  = 250
	laneGap    = 26
	stepHeight = 40
	laneTop    = 92
	laneMargin = 20
	laneText   = 31 // runes of a step's text that fit
)

// VerdictSVG draws the walk: a lane for each namespace, in the order in which the packet comes to them, the request above and
// the reply below, and the place where it dies in red.
func VerdictSVG(v *reach.Verdict) string {
	lanes := lanesOf(v)
	rows := len(v.Request) + len(v.Reply)
	if len(v.Reply) > 0 {
		rows++
	}
	width := 2*laneMargin + max(2, len(lanes))*(laneWidth+laneGap) - laneGap
	height := laneTop + (rows+1)*stepHeight + laneMargin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height, width, height)
	b.WriteString(verdictStyle)
	fmt.Fprintf(&b, `<title>%s</title>`+"\n", escape(QuestionText(&v.Query)))
	fmt.Fprintf(&b, `<text class="head" x="%d" y="26">%s</text>`+"\n", laneMargin, escape(QuestionText(&v.Query)))
	line, class := strings.ToUpper(v.Reachable), "answer-"+v.Reachable
	if v.Reason != nil {
		line += ": " + Outcome(v) + ", " + string(v.Reason.Code)
	}
	fmt.Fprintf(&b, `<text class="%s" x="%d" y="48">%s</text>`+"\n", class, laneMargin, escape(line))
	for i, name := range lanes {
		x := laneMargin + i*(laneWidth+laneGap)
		fmt.Fprintf(&b, `<rect class="lane" x="%d" y="62" width="%d" height="%d" rx="6"/><text class="name" x="%d" y="80" text-anchor="middle">%s</text>`+"\n",
			x, laneWidth, height-62-laneMargin/2, x+laneWidth/2, escape(name))
	}
	y := laneTop
	y = drawWay(&b, v, reach.Request, v.Request, lanes, y)
	if len(v.Reply) > 0 {
		fmt.Fprintf(&b, `<text class="dim" x="%d" y="%d">reply</text>`+"\n", laneMargin+6, y+stepHeight/2)
		drawWay(&b, v, reach.Reply, v.Reply, lanes, y+stepHeight)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

const verdictStyle = `<style>
.lane{fill:#f6f7f9;stroke:#c9ced6}.name{font-weight:bold;fill:#333}.head{font-size:16px;font-weight:bold;fill:#111}
.answer-yes{fill:#1a7f37;font-weight:bold}.answer-no{fill:#b42318;font-weight:bold}.answer-unknown{fill:#9a6700;font-weight:bold}
.ok rect{fill:#fff;stroke:#8a94a3}.bad rect{fill:#fde4e1;stroke:#b42318;stroke-width:2}.later rect{fill:#fff;stroke:#b42318;stroke-dasharray:4 3}
.doubt rect{fill:#fff6d6;stroke:#9a6700}.ok text,.bad text,.doubt text,.later text{fill:#222}.dim{fill:#777}.way{fill:none;stroke:#57606a;stroke-width:1.5}
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

// drawWay draws one direction from y downwards, and returns where it ends.
func drawWay(b *strings.Builder, v *reach.Verdict, dir string, steps []reach.Step, lanes []string, y int) int {
	var lastX, lastY int
	for i, s := range steps {
		lane := 0
		for j, n := range lanes {
			if n == s.Namespace {
				lane = j
			}
		}
		x := laneMargin + lane*(laneWidth+laneGap) + 8
		class := "ok"
		switch {
		case s.Unknown:
			class = "doubt"
		case !s.OK && v.Reason != nil && v.Failed != nil && *v.Failed == dir && v.Reason.Step == s.Seq:
			class = "bad"
		case !s.OK:
			class = "later"
		}
		mid := x + (laneWidth-16)/2
		if i > 0 {
			fmt.Fprintf(b, `<path class="way" d="M%d %dL%d %d"/>`+"\n", lastX, lastY, mid, y)
		}
		text := s.Text
		if s.Code != "" {
			text = string(s.Code) + ": " + text
		}
		fmt.Fprintf(b, `<g class="%s"><rect x="%d" y="%d" width="%d" height="%d" rx="4"/><title>%s</title><text x="%d" y="%d">%s</text></g>`+"\n",
			class, x, y, laneWidth-16, stepHeight-12, escape(s.Stage+": "+s.Text), x+8, y+18, escape(clip(text, laneText)))
		lastX, lastY = mid, y+stepHeight-12
		y += stepHeight
	}
	return y
}
