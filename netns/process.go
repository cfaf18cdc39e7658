package netns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A Kind is a kind of namespace (namespaces(7)).
type Kind int

// The kinds that [Join] knows. A time namespace cannot be entered by a program with several threads.
const (
	KindNet Kind = iota
	KindMount
	KindPID
	KindIPC
	KindUTS
	KindCgroup
	KindUser
	kinds
)

// String is the kind as --mount and the like name it.
func (k Kind) String() string {
	return [...]string{"net", "mount", "pid", "ipc", "uts", "cgroup", "user"}[k]
}

// file is the kind's name below /proc/PID/ns.
func (k Kind) file() string {
	if k == KindMount {
		return "mnt"
	}
	return k.String()
}

func (k Kind) flag() int {
	return [...]int{
		unix.CLONE_NEWNET, unix.CLONE_NEWNS, unix.CLONE_NEWPID, unix.CLONE_NEWIPC, unix.CLONE_NEWUTS, unix.CLONE_NEWCGROUP, unix.CLONE_NEWUSER,
	}[k]
}

// Kinds are all kinds of namespaces.
func Kinds() []Kind {
	return []Kind{KindNet, KindMount, KindPID, KindIPC, KindUTS, KindCgroup, KindUser}
}

// A Process is a process whose namespaces can be joined. It is held by a descriptor (pidfd_open(2), Linux 5.3), so it is never
// mistaken for a later one of the same number.
type Process struct {
	PID int
	ref string
	fd  int
}

// OpenProcess opens the process that "pid:N" or "container:ID" means: of a container the oldest one. Other forms of a
// reference name a network namespace alone, and give [ErrBadName].
func OpenProcess(ctx context.Context, ref string) (*Process, error) {
	form, arg, _ := strings.Cut(ref, ":")
	var pid int
	switch form {
	case "pid":
		n, err := strconv.ParseUint(arg, 10, 31)
		if err != nil || n == 0 {
			return nil, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Err: err, Hint: "pid: wants the number of a process"}
		}
		pid = int(n)
	case "container":
		var err error
		if pid, err = containerProcess(ctx, ref, arg); err != nil {
			return nil, err
		}
	default:
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrBadName, Hint: "only a process has other namespaces: pid:N or container:ID"}
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrNotExist, Err: err, Hint: "no such process"}
	}
	if err != nil {
		return nil, opError("open", ref, err)
	}
	p := &Process{PID: pid, ref: ref, fd: fd}
	if form != "container" {
		return p, nil
	}
	// Between the search and the opening another process may have got the number.
	if again, err := containerProcess(ctx, ref, arg); err != nil || again != pid {
		p.Close()
		return nil, &OpError{Op: "open", Object: ref, Kind: ErrNotExist, Err: err, Hint: "the container ended meanwhile"}
	}
	return p, nil
}

// Close gives the process up. Closing twice does no harm.
func (p *Process) Close() {
	if p.fd >= 0 {
		unix.Close(p.fd)
		p.fd = -1
	}
}

// Shares reports whether the calling thread is in the same namespace of that kind as the process.
func (p *Process) Shares(k Kind) (bool, error) {
	mine, err := os.Readlink("/proc/thread-self/ns/" + k.file())
	if err != nil {
		return false, opError("find own namespaces of", p.ref, err)
	}
	theirs, err := os.Readlink("/proc/" + strconv.Itoa(p.PID) + "/ns/" + k.file())
	if err != nil {
		return false, opError(fmt.Sprintf("find the %s namespace of", k), p.ref, err)
	}
	return mine == theirs, nil
}
