package netns

import (
	"io/fs"
	"os"
	"slices"
)

// links looks for symbolic links among the names, an old way to give a process's namespace one (ip netns takes them for names).
// They hold nothing.
func (s *survey) links() {
	files, err := os.ReadDir(s.opt.Dir)
	if err != nil {
		return // there is none, or the mounts were seen all the same
	}
	for _, e := range files {
		if e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		h, err := OpenPath(s.opt.Dir + "/" + e.Name())
		if err != nil {
			continue // it leads nowhere, or to something else
		}
		f := s.add(h, "")
		f.Names = append(f.Names, e.Name())
	}
}

// sortNames puts the names in order, each once.
func (f *Found) sortNames() {
	slices.Sort(f.Names)
	f.Names = slices.Compact(f.Names)
}
