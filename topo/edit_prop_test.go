package topo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warren/topo"
)

// TestEditsSayTheSameInTheirText: whatever is edited, the text that is kept reads back as the lab that it is kept for, and of
// the comments none is invented; none is lost either as long as nothing is removed.
func TestEditsSayTheSameInTheirText(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples:", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		file := rapid.SampledFrom(files).Draw(t, "file")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		l, err := topo.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			e, err := topo.Edit(l)
			if err != nil {
				t.Fatal(err)
			}
			removed := randomEdit(t, e, l)
			got, err := e.Lab()
			if err != nil {
				continue // refused: a route or a policy speaks of the node, an address does not fit, ...
			}
			again, err := topo.Parse(file, got.Text())
			if err != nil {
				t.Fatalf("the text does not read back: %v\n%s", err, got.Text())
			}
			if a, b := canonical(t, got), canonical(t, again); a != b {
				t.Fatalf("the text says something else:\n%s\n%s\n%s", got.Text(), a, b)
			}
			before, after := comments(l), comments(got)
			if after > before || !removed && after < before {
				t.Fatalf("%d comments before, %d after:\n%s", before, after, got.Text())
			}
			l = got
		}
	})
}

// randomEdit does one thing and reports whether it may take comments away.
func randomEdit(t *rapid.T, e *topo.Editor, l *topo.Lab) (removed bool) {
	names := []string{"new1", "new2"}
	for _, n := range l.Nodes {
		names = append(names, n.Name)
	}
	nets := []string{"newnet"}
	for _, n := range l.Nets {
		nets = append(nets, n.Name)
	}
	node, net := rapid.SampledFrom(names).Draw(t, "node"), rapid.SampledFrom(nets).Draw(t, "net")
	switch rapid.IntRange(0, 6).Draw(t, "edit") {
	case 0:
		if e.AddNode(topo.Node{Name: node}) == nil {
			_ = e.Join(net, topo.Member{Node: node})
		}
	case 1:
		_ = e.RemoveNode(node)
		return true
	case 2:
		_ = e.Join(net, topo.Member{Node: node})
	case 3:
		_ = e.Leave(net, node)
		return true
	case 4:
		_, _ = e.Link(topo.Net{}, topo.Member{Node: node}, topo.Member{Node: rapid.SampledFrom(names).Draw(t, "other")})
	case 5:
		port := rapid.Uint16Range(1, 65535).Draw(t, "port")
		_ = e.Publish(node, topo.Publish{Host: topo.Ports{First: port, Last: port}, Node: topo.Ports{First: 80, Last: 80}, Proto: "tcp"})
	case 6:
		_, _ = e.Unpublish(node, func(topo.Publish) bool { return true })
		return true
	}
	return false
}

func canonical(t *rapid.T, l *topo.Lab) string {
	text, err := topo.FormatExpanded(l)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func comments(l *topo.Lab) int { return strings.Count(string(l.Text()), "# ") }
