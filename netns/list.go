package netns

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// An Entry is a name.
type Entry struct {
	Name string
	Path string
	// Stale: no namespace is mounted there. The name was left half-made, or is being made at this moment, or the mount is
	// not to be seen from here.
	Stale bool
}

// List returns the names in a directory, "" = [Dir], sorted. A directory that does not exist has none.
func List(dir string) ([]Entry, error) {
	if dir == "" {
		dir = Dir
	}
	files, err := os.ReadDir(dir) // sorted
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, opError("list", dir, err)
	}
	list := make([]Entry, 0, len(files))
	for _, f := range files {
		e := Entry{Name: f.Name(), Path: filepath.Join(dir, f.Name())}
		var fs unix.Statfs_t
		err := retry(func() error { return unix.Statfs(e.Path, &fs) })
		if errors.Is(err, unix.ENOENT) {
			if _, err := os.Lstat(e.Path); errors.Is(err, os.ErrNotExist) {
				continue // deleted meanwhile; else a symbolic link to nowhere
			}
		}
		e.Stale = err != nil || fs.Type != unix.NSFS_MAGIC
		list = append(list, e)
	}
	return list, nil
}
