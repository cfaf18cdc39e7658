package draw_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"warren/draw"
	"warren/reach"
)

// TestVerdictSVGFits: texts are broken into lines and not lost, whatever their letters, and no box has more than four.
func TestVerdictSVGFits(t *testing.T) {
	no := "request"
	for _, text := range []string{
		"short", strings.Repeat("a word and another ", 9), strings.Repeat("W", 90), strings.Repeat("名前空間", 30), "fd00:1:2:3:4:5:6:7 is at 02:00:00:00:00:01 (reachable) <&>",
	} {
		v := &reach.Verdict{
			Query: reach.Query{Source: "a", Dst: "10.0.0.2", Proto: "icmp"}, Reachable: reach.No, Failed: &no,
			Reason:  &reach.Reason{Code: reach.LinkDown, Namespace: "b", Text: text, Fix: []string{"ip link set vb up " + text}, Direction: reach.Request, Step: 2},
			Request: []reach.Step{{Seq: 1, Namespace: text, Stage: "route", Text: text, OK: true}, {Seq: 2, Namespace: "b", Stage: "link", Text: text, Code: reach.LinkDown}},
		}
		svg := draw.VerdictSVG(v)
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		for _, box := range regexp.MustCompile(`(?s)<g class.*?</g>`).FindAllString(svg, -1) {
			lines := regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllStringSubmatch(box, -1)
			if len(lines) == 0 || len(lines) > 4 {
				t.Errorf("%q has %d lines", text, len(lines))
			}
			if strings.HasPrefix(text, "fd00") && strings.Contains(box, "…") {
				t.Errorf("a text that fits into three lines was shortened: %s", box)
			}
			for _, l := range lines {
				if n := len([]rune(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(l[1]))); n > 60 || strings.HasPrefix(text, "名") && n > 34 {
					t.Errorf("a line of %d letters: %s", n, l[1])
				}
			}
		}
	}
}
