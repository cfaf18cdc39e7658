package kernel

import (
	"golang.org/x/sys/unix"

	"warren/state"
)

// GroupPrograms lists the programs at a control group.
func GroupPrograms(path string) []state.Agent {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	return groupPrograms(fd, path, 0)
}
