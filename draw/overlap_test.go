package draw_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"warren/draw"
	"warren/state"
)

// A rect is a place in a picture, edges left out.
type rect struct {
	x0, y0, x1, y1 float64
	what           string
	group          int
}

func (r rect) meets(o rect) bool { return r.x0 < o.x1 && o.x0 < r.x1 && r.y0 < o.y1 && o.y0 < r.y1 }

func (r rect) inside(o rect) bool {
	return r.x0 >= o.x0 && r.x1 <= o.x1 && r.y0 >= o.y0 && r.y1 <= o.y1
}

func (r rect) shrunk(by float64) rect {
	return rect{r.x0 + by, r.y0 + by, r.x1 - by, r.y1 - by, r.what, r.group}
}

// A picture is what an SVG shows, read back from its text: nothing of the layout's own numbers is trusted.
type picture struct {
	page               rect
	rooms, bars, texts []rect // texts of a room have its group
	cables             [][][2]float64
}

func parse(t testing.TB, svg string) picture {
	t.Helper()
	var p picture
	d := xml.NewDecoder(strings.NewReader(svg))
	group, inText := 0, rect{}
	anchor, size := "", 0.0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			a := map[string]string{}
			for _, at := range e.Attr {
				a[at.Name.Local] = at.Value
			}
			num := func(name string) (v float64) {
				if _, err := fmt.Sscan(a[name], &v); err != nil && a[name] != "" {
					t.Fatalf("%s=%q: %v", name, a[name], err)
				}
				return v
			}
			r := rect{num("x"), num("y"), num("x") + num("width"), num("y") + num("height"), a["class"], group}
			switch {
			case e.Name.Local == "g":
				group++
			case e.Name.Local == "rect" && a["class"] == "page":
				p.page = r
			case e.Name.Local == "rect" && a["class"] == "room":
				p.rooms = append(p.rooms, r)
			case e.Name.Local == "rect" && a["class"] == "bar":
				p.bars = append(p.bars, r)
			case e.Name.Local == "text":
				size = 11
				if strings.HasPrefix(a["class"], "name") {
					size = 13
				}
				anchor = a["text-anchor"]
				inText = rect{num("x"), num("y") - 0.8*size, num("x"), num("y") + 0.2*size, "", group}
			case e.Name.Local == "path" && (strings.HasPrefix(a["class"], "cable") || strings.HasPrefix(a["class"], "plug")):
				p.cables = append(p.cables, points(t, a["d"]))
			}
		case xml.CharData:
			if size == 0 {
				continue
			}
			w := 0.602 * size * float64(utf8.RuneCountInString(string(e)))
			if anchor == "end" {
				inText.x0 -= w
			} else {
				inText.x1 += w
			}
			inText.what = string(e)
			p.texts = append(p.texts, inText)
			size = 0
		}
	}
}

// points walks along a path of M, L and C.
func points(t testing.TB, d string) [][2]float64 {
	t.Helper()
	var list [][2]float64
	for len(d) > 0 {
		i := strings.IndexAny(d[1:], "MLC") + 1
		if i == 0 {
			i = len(d)
		}
		var n []float64
		for f := range strings.FieldsSeq(d[1:i]) {
			var v float64
			if _, err := fmt.Sscan(f, &v); err != nil {
				t.Fatalf("path %q: %v", d, err)
			}
			n = append(n, v)
		}
		at := func(u float64) [2]float64 {
			from := list[len(list)-1]
			if d[0] == 'L' {
				return [2]float64{from[0] + u*(n[0]-from[0]), from[1] + u*(n[1]-from[1])}
			}
			a, b, c := (1-u)*(1-u)*(1-u), 3*u*(1-u)*(1-u), 3*u*u*(1-u)
			return [2]float64{a*from[0] + b*n[0] + c*n[2] + u*u*u*n[4], a*from[1] + b*n[1] + c*n[3] + u*u*u*n[5]}
		}
		if d[0] == 'M' {
			list = append(list, [2]float64{n[0], n[1]})
		} else {
			const steps = 24
			var more [][2]float64
			for k := 1; k <= steps; k++ {
				more = append(more, at(float64(k)/steps))
			}
			list = append(list, more...)
		}
		d = d[i:]
	}
	return list
}

// problems says what a person would find wrong in the picture.
func (p picture) problems() []string {
	var list []string
	bad := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for i, r := range p.rooms {
		if !r.inside(p.page) {
			bad("room %v leaves the page %v", r, p.page)
		}
		for _, o := range p.rooms[i+1:] {
			if r.meets(o) {
				bad("rooms %v and %v overlap", r, o)
			}
		}
		for _, b := range p.bars {
			if r.meets(b) {
				bad("room %v and bar %v overlap", r, b)
			}
		}
	}
	for i, b := range p.bars {
		if !b.inside(p.page) {
			bad("bar %v leaves the page", b)
		}
		for _, o := range p.bars[i+1:] {
			if b.group != o.group && b.meets(o) {
				bad("bars %v and %v overlap", b, o)
			}
		}
	}
	var labels []rect // of bridges
	for i, x := range p.texts {
		if !x.inside(p.page) {
			bad("text %v leaves the page", x)
		}
		own := false
		for _, r := range p.rooms {
			if r.group == x.group {
				own = true
				if !x.inside(r) {
					bad("text %v leaves its room %v", x, r)
				}
			} else if r.meets(x) {
				bad("text %v meets room %v", x, r)
			}
		}
		if !own {
			labels = append(labels, x)
		}
		for _, b := range p.bars {
			if b.meets(x) {
				bad("text %v meets bar %v", x, b)
			}
		}
		for _, o := range p.texts[i+1:] {
			if x.meets(o) {
				bad("texts %v and %v overlap", x, o)
			}
		}
	}
	var solid []rect
	for _, r := range p.rooms {
		solid = append(solid, r.shrunk(1))
	}
	for _, r := range p.bars {
		solid = append(solid, r.shrunk(1))
	}
	solid = append(solid, labels...)
	for _, c := range p.cables {
		for _, at := range c {
			if at[0] < 0 || at[1] < 0 || at[0] > p.page.x1 || at[1] > p.page.y1 {
				bad("a cable leaves the page at %v", at)
			}
			for _, r := range solid {
				if at[0] > r.x0 && at[0] < r.x1 && at[1] > r.y0 && at[1] < r.y1 {
					bad("a cable from %v runs through %v at %v", c[0], r, at)
					break
				}
			}
		}
	}
	return list
}

func checkPicture(t testing.TB, name, svg string) {
	t.Helper()
	problems := parse(t, svg).problems()
	for i, p := range problems {
		if i == 5 {
			t.Errorf("%s: and %d more", name, len(problems)-i)
			break
		}
		t.Errorf("%s: %s", name, p)
	}
}

// TestNothingOverlaps computes all boxes, labels and cables of many pictures, of 2 to 200 namespaces.
func TestNothingOverlaps(t *testing.T) {
	labs := []*lab{classic(), twoHosts(), shop(), ring(), odd(), docker(), star(50), star(200), hub(40), hub(199), downs()}
	for _, n := range []int{2, 3, 4, 5, 6, 8, 10, 13, 16, 21, 27, 34, 50, 80, 120, 200} {
		for seed := range uint64(max(2, 40/n)) {
			labs = append(labs, randomLab(seed, n))
		}
	}
	for _, l := range labs {
		for _, fold := range []int{0, -1} {
			d := l.desired()
			checkPicture(t, fmt.Sprintf("%s fold %d", l.name, fold), draw.DesiredAs(d, draw.FormatSVG, draw.Options{Fold: fold}))
		}
	}
}

// TestAnySnapshotIsDrawn: no input makes a picture fail, and whatever the names are the SVG stays well-formed and readable.
func TestAnySnapshotIsDrawn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anySnapshot(rt)
		for _, f := range draw.Formats() {
			out := draw.SnapshotAs(&s, draw.Format(f), draw.Options{Fold: rapid.SampledFrom([]int{0, -1, 2}).Draw(rt, "fold")})
			if !utf8.ValidString(out) || strings.ContainsAny(out, "\x1b\x00") {
				rt.Errorf("%s is not UTF-8: %q", f, out)
			}
			if f == "svg" {
				if p := parse(t, out).problems(); len(p) > 0 {
					rt.Errorf("%s\n%s", strings.Join(p, "\n"), out)
				}
			}
		}
	})
}

// anySnapshot is what no kernel would say, but a file might.
func anySnapshot(t *rapid.T) state.Snapshot {
	name := rapid.OneOf(rapid.SampledFrom([]string{"host", "a", "b", "cookie:7", `q"uo'te`, "<&>", "with space", "ünï", "x;y#z|w", "\xff\x00\x1b", "]]>", strings.Repeat("long", 40), ""}), rapid.StringN(0, 12, 40))
	link := rapid.Custom(func(t *rapid.T) state.Link {
		l := state.Link{
			Name: name.Draw(t, "link"), Kind: rapid.SampledFrom([]string{"", "veth", "bridge", "dummy", "<k>"}).Draw(t, "kind"),
			Up: rapid.Bool().Draw(t, "up"), MTU: rapid.Uint32().Draw(t, "mtu"), Master: rapid.SampledFrom([]string{"", "a", "b", "<&>"}).Draw(t, "master"),
			AltNames: rapid.SliceOfN(name, 0, 2).Draw(t, "altnames"),
		}
		if rapid.Bool().Draw(t, "cabled") {
			l.Peer = &state.Peer{NS: name.Draw(t, "ns"), Name: name.Draw(t, "peer"), NSID: rapid.IntRange(-1, 3).Draw(t, "id")}
		}
		return l
	})
	space := rapid.Custom(func(t *rapid.T) state.Namespace {
		n := state.Namespace{Name: name.Draw(t, "name")}
		n.Links = rapid.SliceOfN(link, 0, 6).Draw(t, "links")
		for _, l := range n.Links {
			if rapid.Bool().Draw(t, "addressed") {
				n.Addrs = append(n.Addrs, state.Addr{Link: l.Name, Prefix: anyPrefix(t)})
			}
		}
		if rapid.Bool().Draw(t, "owned") {
			n.Owner = &state.Owner{Kind: name.Draw(t, "ownerkind"), Name: name.Draw(t, "owner")}
		}
		return n
	})
	return state.Snapshot{Namespaces: rapid.SliceOfN(space, 0, 8).Draw(t, "namespaces")}
}
