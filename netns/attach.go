package netns

import (
	"context"

	"golang.org/x/sys/unix"
)

// Attach gives a namespace that exists one more name: path, which is checked as [Create] checks it. It fails with [ErrExist]
// when the name is taken.
func Attach(ctx context.Context, path string, h *Handle) error {
	dir, err := checkPath(path)
	if err != nil {
		return err
	}
	if dir == Dir {
		if err := prepareDir(ctx); err != nil {
			return opError("prepare the directory "+Dir+" for", "", err)
		}
	}
	file, err := placeholder(ctx, path)
	if err != nil {
		return opError("name", path, err)
	}
	defer unix.Close(file) // which unlocks it
	if err := unix.Mount(fdPath(h.FD()), fdPath(file), "", unix.MS_BIND, ""); err != nil {
		// Nothing is mounted there, so the name is taken back.
		if err := unix.Unlink(path); err != nil {
			return opError("remove the half-made name of", path, err)
		}
		return opError("name", path, err)
	}
	return nil
}
