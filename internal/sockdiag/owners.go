package sockdiag

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/state"
)

// An Owner is a process that has a socket open.
type Owner struct {
	PID, TID int
	FD       int
	Name     string // as ps(1) -o comm shows it, at most 15 bytes
}

// Owners are the processes of sockets by the sockets' inode numbers, which are unique across all namespaces; of one socket by
// PID, TID and FD.
type Owners map[uint32][]Owner

// FindOwners walks over /proc once and finds the processes that have sockets open, whatever namespaces the sockets and the
// processes are in. With threads it looks at each thread's own files too. What the caller may not look into is left out:
// complete for root.
func FindOwners(ctx context.Context, threads bool) (Owners, error) {
	owners := Owners{}
	pids, err := numbersIn("/proc")
	if err != nil {
		return nil, fmt.Errorf("find processes of sockets: %w", err)
	}
	for _, pid := range pids {
		if err := context.Cause(ctx); err != nil {
			return owners, fmt.Errorf("find processes of sockets: %w", err)
		}
		dir := "/proc/" + strconv.Itoa(pid)
		owners.task(dir, pid, pid)
		if !threads {
			continue
		}
		tids, err := numbersIn(dir + "/task")
		if err != nil {
			continue // gone
		}
		for _, tid := range tids {
			if tid != pid {
				owners.task(dir+"/task/"+strconv.Itoa(tid), pid, tid)
			}
		}
	}
	return owners, nil
}

// task looks at what a process, or one of its threads, has open.
func (o Owners) task(dir string, pid, tid int) {
	d, err := os.Open(dir + "/fd")
	if err != nil {
		return // gone, or not ours to see
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return
	}
	name := ""
	var buf [64]byte
	for _, n := range names {
		fd, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		k, err := unix.Readlinkat(int(d.Fd()), n, buf[:])
		if err != nil {
			continue
		}
		inode, ok := socketInode(buf[:k])
		if !ok {
			continue
		}
		if name == "" {
			name = taskName(dir)
		}
		o[inode] = append(o[inode], Owner{PID: pid, TID: tid, FD: fd, Name: name})
	}
}

// socketInode reads "socket:[17]".
func socketInode(link []byte) (uint32, bool) {
	rest, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return 0, false
	}
	rest, ok = bytes.CutSuffix(rest, []byte("]"))
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(string(rest), 10, 32)
	return uint32(n), err == nil
}

// taskName is the name in /proc/PID/stat, which ends at the first bracket as ss(8) reads it.
func taskName(dir string) string {
	b, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return ""
	}
	_, rest, _ := bytes.Cut(b, []byte("("))
	name, _, _ := bytes.Cut(rest, []byte(")"))
	return string(name)
}

// Fill sets the process of each socket: of several the one with the lowest PID.
func (o Owners) Fill(sockets []state.Socket) {
	known := map[int]*state.Process{}
	for i := range sockets {
		list := o[sockets[i].Inode]
		if sockets[i].Inode == 0 || len(list) == 0 {
			continue
		}
		first := slices.MinFunc(list, func(a, b Owner) int { return cmp.Compare(a.PID, b.PID) })
		p, ok := known[first.PID]
		if !ok {
			p = process(first)
			known[first.PID] = p
		}
		sockets[i].Process = p
	}
}

// process describes an owner; what is unknown, because it has just ended, stays empty.
func process(w Owner) *state.Process {
	p := &state.Process{PID: w.PID, Command: "[" + w.Name + "]"}
	dir := "/proc/" + strconv.Itoa(w.PID)
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil {
		p.UID = st.Uid
	}
	if b, err := os.ReadFile(dir + "/cmdline"); err == nil && len(b) > 0 {
		p.Command = string(bytes.ReplaceAll(bytes.TrimRight(b, "\x00"), []byte{0}, []byte(" ")))
	}
	return p
}

// numbersIn returns the entries of a directory of /proc that are numbers; /proc lists them in ascending order.
func numbersIn(dir string) ([]int, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	list := make([]int, 0, len(names))
	for _, n := range names {
		if i, err := strconv.Atoi(n); err == nil {
			list = append(list, i)
		}
	}
	return list, nil
}
