package kernel

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"warren/state"
)

// readBPF asks for the programs attached to the links of the namespace that the calling thread is in (tcx). Kernels that do
// not have them have none.
func readBPF(links []state.Link) error {
	for i := range links {
		l := &links[i]
		for _, at := range []struct {
			typ  uint32
			name string
		}{{bpfTCXIngress, "tcx ingress"}, {bpfTCXEgress, "tcx egress"}} {
			ids, err := programsAt(l.Index, at.typ, 0)
			switch {
			case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOENT):
				return nil
			case errors.Is(err, unix.ENODEV): // gone
			case err != nil:
				return err
			case len(ids) > 0:
				l.BPF = append(l.BPF, at.name)
			}
		}
		slices.Sort(l.BPF)
	}
	return nil
}

// missPrograms notes that programs at links could not be asked for. In a world of an ordinary user's that is always so; to
// put one there, and to see it, takes CAP_BPF of the machine (bpf(2)), so it is noted by a name of its own: a program that
// the machine's root put into somebody's world.
func (r *reading) missPrograms(err error) {
	object := "BPF programs"
	if errors.Is(err, unix.EPERM) && !initialUsers() {
		object = "BPF programs of the machine's root"
	}
	r.miss(object, err)
}

// initialUsers reports whether we are in the initial user namespace: only that maps all users (user_namespaces(7)).
func initialUsers() bool {
	b, err := os.ReadFile("/proc/thread-self/uid_map")
	f := strings.Fields(string(b))
	return err != nil || len(f) == 3 && f[2] == "4294967295"
}
