package kernel

import (
	"errors"
	"os"

	"warren/internal/hidden"
	"warren/netns"
	"warren/state"
)

// initialPIDNS is the inode of the PID namespace that the machine started with (PROC_PID_INIT_INO, linux/proc_ns.h).
const initialPIDNS = "pid:[4026531836]"

// seesAllProcesses reports whether every process of the machine is to be seen. Inside of a PID namespace nearly all
// namespaces of the machine would seem to be held by nothing.
func seesAllProcesses() bool {
	ns, err := os.Readlink("/proc/thread-self/ns/pid")
	return err == nil && ns == initialPIDNS
}

// listAll asks the kernel itself which namespaces there are, before the walk that finds most of them: what is in the list,
// still there after the walk, and was not found by it, is held by nothing visible. What came after the list is either found
// or too young to be told from what hides.
func (k *Kernel) listAll() ([]hidden.Entry, error) {
	if !k.cfg.Hidden && !seesAllProcesses() {
		return nil, nil
	}
	return hidden.List()
}

// openHidden opens the namespaces that the walk did not find.
func openHidden(all []hidden.Entry, found []*netns.Found) (list []*netns.Found) {
	known := make(map[uint64]bool, len(found))
	for _, f := range found {
		known[f.Cookie] = true
	}
	for _, e := range all {
		if known[e.Cookie] {
			continue
		}
		h, err := netns.OpenID(e.Cookie, e.Inode)
		if errors.Is(err, netns.ErrNotExist) {
			continue
		}
		list = append(list, &netns.Found{
			Handle: h, Err: err, Inode: e.Inode, Cookie: e.Cookie, Holders: []state.Holder{{Kind: "kernel"}},
		})
	}
	return list
}
