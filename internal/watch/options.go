package watch

import (
	"context"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren/netns"
	"warren/state"
)

// Options of [Run].
type Options struct {
	// Dir holds the names; "" = netns.Dir.
	Dir string
	// Observe reads namespaces. Required.
	Observe func(context.Context, state.Query) (state.Snapshot, error)
	// NoCalls does without BPF.
	NoCalls bool
	// Note is called with what a person should know: why nobody is named. Nil = nobody does.
	Note func(error)
	// Ready is called once, when everything was read and from now on nothing is missed. Nil = nobody waits.
	Ready func()
	// Buffer is the socket's receive buffer in bytes; 0 = 8 MiB. When it is too small for a burst, there is a resync.
	Buffer int
	// Queue is how many notifications may wait in our own memory, beside those in the socket's; 0 = 16,384.
	Queue int
	// Rescan is how often namespaces without a name are looked for; 0 = every second, or every ten when system calls are watched.
	Rescan time.Duration
}

func (o *Options) fill() {
	if o.Dir == "" {
		o.Dir = netns.Dir
	}
	if o.Buffer == 0 {
		o.Buffer = 8 << 20
	}
	if o.Queue == 0 {
		o.Queue = 1 << 14
	}
	if o.Note == nil {
		o.Note = func(error) {}
	}
	if o.Ready == nil {
		o.Ready = func() {}
	}
}

// describe says what process a number is; nothing when it has ended.
func describe(pid int) state.Process {
	p := state.Process{PID: pid}
	dir := "/proc/" + strconv.Itoa(pid)
	var st unix.Stat_t
	if unix.Stat(dir, &st) == nil {
		p.UID = st.Uid
	}
	if b, err := os.ReadFile(dir + "/cmdline"); err == nil {
		p.Command = strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
	}
	return p
}

// userName is the name of a user, or the number.
func userName(uid uint32) string {
	text := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(text); err == nil {
		return u.Username
	}
	return text
}
