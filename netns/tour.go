package netns

import (
	"context"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Tour calls f inside of one namespace after the other, all on one thread. next opens the next one, nil = there is no more; f
// gets it, or the error of one that could not be entered, and it is closed when f is done with it: of thousands only one is
// open at a time. It stops at the first error of f. The rules are those of [Handle.Do].
func Tour(next func() *Handle, f func(h *Handle, err error) error) error {
	return onThread(func() error {
		for h := next(); h != nil; h = next() {
			err := f(h, h.enter())
			h.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// OpenEntry opens the namespace at a name that was found in a directory. To open a plain file does nothing to it, so unlike
// [OpenPath] it does not look first what it is.
func OpenEntry(dir string, e os.DirEntry) (*Handle, error) {
	path := dir + "/" + e.Name()
	if !e.Type().IsRegular() {
		return OpenPath(path)
	}
	fd, err := openRetry(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_NOFOLLOW)
	if err != nil {
		return nil, opError("open", e.Name(), err)
	}
	h, err := newHandle(fd, e.Name())
	if err == nil && dir == Dir {
		h.name = e.Name()
	}
	return h, err
}

// Inhabitants counts the processes in each namespace, by its inode, those with just one thread inside included; of this program
// only the main thread counts, for others may be on visits. What the caller may not look into is left out: complete for root.
func Inhabitants(ctx context.Context) (map[uint64]int, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return nil, opError("count processes of", "", err)
	}
	count := map[uint64]int{}
	var seen []uint64 // of one process with several threads
	for _, pid := range pids {
		if err := context.Cause(ctx); err != nil {
			return nil, opError("count processes of", "", err)
		}
		dir := "/proc/" + strconv.Itoa(pid)
		if pid == os.Getpid() || threads(dir) == 1 {
			if ino, ok := linkInode(dir+"/ns/net", "net:["); ok {
				count[ino]++
			}
			continue
		}
		tids, err := numbers(dir + "/task")
		if err != nil {
			continue // gone
		}
		seen = seen[:0]
	threads:
		for _, tid := range tids {
			ino, ok := linkInode(taskPath(pid, tid)+"/ns/net", "net:[")
			if !ok {
				continue
			}
			for _, s := range seen {
				if s == ino {
					continue threads
				}
			}
			seen = append(seen, ino)
			count[ino]++
		}
	}
	return count, nil
}

// threads is how many threads a process has: its directory of them has so many links, beside "." and its own (proc(5)). 0 =
// not to be known.
func threads(dir string) int {
	var st unix.Stat_t
	if unix.Stat(dir+"/task", &st) != nil {
		return 0
	}
	return max(0, int(st.Nlink)-2)
}
