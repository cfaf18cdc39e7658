package draw_test

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warren/draw"
	"warren/state"
)

func anyPrefix(t *rapid.T) netip.Prefix {
	if rapid.Bool().Draw(t, "v6") {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")
		return netip.PrefixFrom(netip.AddrFrom16([16]byte(b)), rapid.IntRange(0, 128).Draw(t, "bits"))
	}
	b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr")
	return netip.PrefixFrom(netip.AddrFrom4([4]byte(b)), rapid.IntRange(0, 32).Draw(t, "bits"))
}

// nasty has names that mean something to each of the languages.
func nasty() *state.Snapshot {
	s := &state.Snapshot{}
	names := []string{`a b`, `q"uo'te\`, `<i>&amp;</i>`, `end`, `x;y#z|w{}[]`, "]]>", "node -- node", `{<f>|}`, "%%", "\x01bell"}
	for i, n := range names {
		ns := state.Namespace{Name: n}
		ns.Links = []state.Link{
			{Name: n, Kind: "veth", Up: i%2 == 0, Peer: &state.Peer{NS: names[(i+1)%len(names)], Name: "from" + n}},
			{Name: "from" + names[(i+len(names)-1)%len(names)], Kind: "veth", Up: true},
			{Name: "br<" + n, Kind: "bridge", Up: true},
		}
		ns.Addrs = []state.Addr{{Link: n, Prefix: netip.MustParsePrefix("10.0.0.1/24")}, {Link: "br<" + n, Prefix: netip.MustParsePrefix("fd00::1/64")}}
		s.Namespaces = append(s.Namespaces, ns)
	}
	return s
}

// TestGraphvizReadsDOT asks Graphviz itself, where it is installed; else the syntax is compared with what was accepted once
// (the golden files).
func TestGraphvizReadsDOT(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Log("graphviz is not installed: golden files only")
		return
	}
	for name, text := range map[string]string{
		"nasty": draw.SnapshotAs(nasty(), draw.FormatDOT, draw.Options{}),
		"odd":   draw.DesiredAs(odd().desired(), draw.FormatDOT, draw.Options{}),
		"shop":  draw.DesiredAs(shop().desired(), draw.FormatDOT, draw.Options{Lab: "shop"}),
	} {
		cmd := exec.CommandContext(t.Context(), dot, "-Tsvg")
		cmd.Stdin = strings.NewReader(text)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || !bytes.Contains(out, []byte("<svg")) || strings.Contains(stderr.String(), "syntax") {
			t.Errorf("%s: %v\n%s\n%s", name, err, stderr.String(), text)
		}
	}
}

func TestNastyNamesInSVG(t *testing.T) {
	out := draw.SnapshotAs(nasty(), draw.FormatSVG, draw.Options{})
	checkPicture(t, "nasty", out)
	if !strings.Contains(out, "&lt;i&gt;&amp;amp;&lt;/i&gt;") {
		t.Error("a name is not shown as it is")
	}
}

// TestJSON: the document names each plug's net, and reads back.
func TestJSON(t *testing.T) {
	var d draw.Document
	if err := json.Unmarshal([]byte(draw.DesiredAs(shop().desired(), draw.FormatJSON, draw.Options{Lab: "shop"})), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Rooms) != 5 || len(d.Nets) != 4 || d.Lab != "shop" {
		t.Errorf("%d rooms, %d nets, lab %q", len(d.Rooms), len(d.Nets), d.Lab)
	}
	for _, r := range d.Rooms {
		for _, p := range r.Plugs {
			if p.Net < 0 || p.Net >= len(d.Nets) || !strings.HasPrefix(p.Link, d.Nets[p.Net].Name) {
				t.Errorf("%s: plug %+v", r.Name, p)
			}
		}
	}
}
