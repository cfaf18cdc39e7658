package warren

import (
	"fmt"
	"path/filepath"

	"warren/topo"
)

// notesOn tells of what may be a mistake in a lab that came up: that it has taken the place of another file's, and nodes on no
// net whose name looks like another's.
func notesOn(l *topo.Lab, former *topo.Expanded) []string {
	var notes []string
	if former != nil && former.Source != nil {
		was := former.Source.File
		is, err := filepath.Abs(l.File)
		if err == nil && l.File != "" && l.File != "-" && was != "" && was != is && exists(was) {
			notes = append(notes, fmt.Sprintf("lab %q was brought up from %s, and is now what %s says; another \"name:\" in one of them keeps both", l.Name, was, is))
		}
	}
	var on []string
	nets := map[string]bool{}
	for _, n := range l.Nets {
		for _, m := range n.Members {
			if !nets[m.Node] {
				nets[m.Node] = true
				on = append(on, m.Node)
			}
		}
	}
	for _, n := range l.Nodes {
		if nets[n.Name] {
			continue
		}
		if near := topo.Nearest(n.Name, on); near != "" {
			notes = append(notes, fmt.Sprintf("node %s is on no net; did you mean %s?", n.Name, near))
		}
	}
	return notes
}
