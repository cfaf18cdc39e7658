package netns

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Inside is what the setup of a new namespace gets to work with. It is valid only during that call and on its goroutine.
type Inside struct {
	cookie uint64
}

// Cookie is the new namespace's identity, 0 where the kernel does not tell (before Linux 5.14).
func (in *Inside) Cookie() uint64 { return in.cookie }

// Socket opens a socket in the new namespace, close-on-exec.
func (in *Inside) Socket(domain, typ, proto int) (int, error) {
	return unix.Socket(domain, typ|unix.SOCK_CLOEXEC, proto)
}

// SetSysctl writes a value below /proc/sys of the new namespace; the key has slashes: "net/ipv4/ip_forward".
func (in *Inside) SetSysctl(key, value string) error { return writeSysctl(key, value) }

// Sysctl reads a value below /proc/sys of the new namespace.
func (in *Inside) Sysctl(key string) (string, error) { return readSysctl(key) }

// New says what to create.
type New struct {
	// Path is absolute and clean. A path in [Dir] makes a name that ip-netns(8) sees too; any other directory must exist.
	Path string
	// Setup runs inside, before the name appears: whoever sees the name sees what Setup did, and when the process dies
	// in it nothing is left. An error ends the creation. nil = nothing. It must keep to the rules of [Handle.Do].
	Setup func(*Inside) error
}

// Create makes a namespace, calls setup in it and gives it the name path. It fails with [ErrExist] when the name is
// taken. A name that a killed process left half-made is repaired; one that is just being made is waited for.
func Create(ctx context.Context, path string, setup func(*Inside) error) (*Handle, error) {
	handles, err := CreateMany(ctx, []New{{Path: path, Setup: setup}})
	if err != nil {
		return nil, err
	}
	return handles[0], nil
}

// CreateLast is [Create] for the last that a program does: the calling goroutine stays inside of the new namespace, locked to
// its thread. It saves a thread and the way home, which cost more than the namespace.
func CreateLast(ctx context.Context, path string) (*Handle, error) {
	handles, err := createMany(ctx, []New{{Path: path}}, onThisThread)
	if err != nil {
		return nil, err
	}
	return handles[0], nil
}

// CreateMany makes namespaces one after the other on one thread, which costs little more than the system calls do. It
// stops at the first error and returns it with what was made until then: the handle of each, in order.
func CreateMany(ctx context.Context, list []New) ([]*Handle, error) {
	return createMany(ctx, list, onThread)
}

func createMany(ctx context.Context, list []New, visit func(func() error) error) ([]*Handle, error) {
	inDir := false
	for _, n := range list {
		dir, err := checkPath(n.Path)
		if err != nil {
			return nil, err
		}
		inDir = inDir || dir == Dir
	}
	if inDir {
		if err := prepareDir(ctx); err != nil {
			return nil, opError("prepare the directory "+Dir+" for", "", err)
		}
	}
	handles := make([]*Handle, 0, len(list))
	err := visit(func() error {
		for _, n := range list {
			h, err := createHere(ctx, n)
			if err != nil {
				return err
			}
			handles = append(handles, h)
		}
		return nil
	})
	return handles, err
}

// createHere makes one namespace on the calling thread, which is left in it.
func createHere(ctx context.Context, n New) (*Handle, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, opError("create", n.Path, err)
	}
	file, err := placeholder(ctx, n.Path)
	if err != nil {
		return nil, opError("create", n.Path, err)
	}
	defer unix.Close(file) // which unlocks it
	h, err := mountNew(n, file)
	if err != nil {
		// Nothing is mounted there. Somebody who deleted it meanwhile did what we want to do.
		if err := unix.Unlink(n.Path); err != nil && !errors.Is(err, unix.ENOENT) {
			return nil, opError("remove the half-made name of", n.Path, err)
		}
		return nil, err
	}
	return h, nil
}

// placeholder makes the file to mount on, and locks it.
func placeholder(ctx context.Context, path string) (int, error) {
	for {
		var fd int
		err := retry(func() (err error) {
			fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
			return err
		})
		switch {
		case errors.Is(err, unix.EEXIST):
			if err := repair(ctx, path); err != nil {
				if errors.Is(err, fs.ErrExist) {
					return -1, unix.EEXIST
				}
				return -1, err
			}
			continue
		case err != nil:
			return -1, err
		}
		// Nobody holds the lock longer than it takes to look: until the file is locked or old it counts as being made.
		if err := retry(func() error { return unix.Flock(fd, unix.LOCK_EX) }); err != nil {
			unix.Close(fd)
			return -1, err
		}
		if _, err := unix.Write(fd, []byte(ours)); err != nil {
			unix.Close(fd)
			return -1, err
		}
		return fd, nil
	}
}

// mountNew leaves the thread for a new namespace, sets it up and mounts it on the file.
func mountNew(n New, file int) (*Handle, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, opError("create", n.Path, err)
	}
	fd, err := openRetry("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return nil, opError("create", n.Path, err)
	}
	h, err := newHandle(fd, n.Path)
	if err != nil {
		return nil, err
	}
	if dir, name := filepath.Split(n.Path); dir == Dir+"/" {
		h.name, h.ref = name, name
	}
	if n.Setup != nil {
		if err := n.Setup(&Inside{cookie: h.cookie}); err != nil {
			h.Close()
			return nil, opError("set up", h.ref, err)
		}
	}
	// The target is the very file that we made, whatever its path leads to by now.
	if err := unix.Mount("/proc/thread-self/ns/net", fdPath(file), "", unix.MS_BIND, ""); err != nil {
		h.Close()
		return nil, opError("name", n.Path, err)
	}
	return h, nil
}
