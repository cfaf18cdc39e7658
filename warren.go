// Package warren makes, wires, inspects and explains Linux network namespaces.
//
// Everything is a function between three values: a lab file becomes what should be ([state.Desired]), the kernel is read
// into what is ([state.Snapshot]), and the difference is a [plan.Plan], an ordered list of steps that are data. This
// package is the facade that puts them together; the command line is written on it and uses nothing else.
//
// Most callers want [Open], [Load] (or a [topo.Lab] built in Go) and then [Warren.Up], [Warren.Check] and [Warren.Down]:
//
//	w, err := warren.Open(warren.Options{})
//	lab, err := warren.Load("warren.yaml")
//	_, err = w.Up(ctx, lab, warren.UpOptions{})
//	results, err := w.Check(ctx, lab.Name, warren.CheckOptions{})
//	_, err = w.Down(ctx, lab.Name, warren.DownOptions{})
//
// The kernel is the truth: there is no state file to lose. What is ours is known by marks (see package state), what is not
// marked is never changed. A lab is locked while it is changed; a process that dies holding the lock leaves it free, and
// the next Up or Down finishes or undoes what was begun.
//
// Linux 5.14 or newer; the calling process needs CAP_NET_ADMIN and CAP_SYS_ADMIN.
package warren

import (
	"context"
	"errors"
	"path/filepath"

	"warren/internal/kernel"
	"warren/netns"
	"warren/plan"
	"warren/state"
)

// DefaultRunDir is where warren keeps its own files while labs are up.
const DefaultRunDir = "/run/warren"

// Errors that callers decide by.
var (
	// ErrNotExist: no such lab, node or namespace.
	ErrNotExist = errors.New("does not exist")
	// ErrAmbiguous: a node's name that several labs have, without the lab's.
	ErrAmbiguous = errors.New("is ambiguous")
	// ErrLocked: somebody else is changing the lab, and Options said not to wait.
	ErrLocked = errors.New("is locked")
	// ErrNotPermitted: a capability is missing.
	ErrNotPermitted = errors.New("is not permitted")
)

// Options of [Open]. The zero value is what the command line uses.
type Options struct {
	// RunDir is where our own files live; "" = DefaultRunDir.
	RunDir string
	// Progress is called with what is going on; nil = nobody listens. Calls come from one goroutine at a time.
	Progress func(Event)
	// NoWait makes a locked lab an error (ErrLocked) instead of a wait.
	NoWait bool
	// Watchdog is the command line, the program's name first, of this program as a process that calls [Warren.Watch] with the
	// lab's name, which is added as its last word. Without one UpOptions.Confirm is refused.
	Watchdog []string
	// World is the directory of an ordinary user's world when the process is in one: the host's namespace is not the
	// machine's, and what goes further has to be carried there. "" = it is the machine's.
	World string
	// Attendant is the command line, the program's name first, of this program as a process that calls [Warren.Attend] with a
	// lab's name, which is added as its last word, and file descriptor 3. With one, what [Warren.Run] has made goes at once
	// when the calling process is killed; without, with the next edit of the lab.
	Attendant []string
	// Point is called at every boundary where a crash would leave another state behind, with its name: the seam of the
	// tests that kill. Nil in production.
	Point func(name string)
	// BeforeStep is called before each step of a plan is carried out; an error ends the work there, as if the step had
	// failed: the seam of the tests that inject errors. Nil in production.
	BeforeStep func(i int, s plan.Step) error
}

// An Event tells what a long operation is doing.
type Event struct {
	Lab   string `json:"lab"`
	Phase string `json:"phase"` // "lock", "observe", "apply", "verify", "services", "checks", "undo", "stop", "destroy"
	Done  int    `json:"done"`
	Total int    `json:"total,omitempty"` // 0 = not known
	Text  string `json:"text,omitempty"`
}

// Warren is the program opened on one run directory. Its methods may be called from several goroutines; changes of one
// lab wait for each other.
type Warren struct {
	opt    Options
	kernel *kernel.Kernel
}

// Open prepares for work. It touches nothing.
func Open(o Options) (*Warren, error) {
	if o.RunDir == "" {
		o.RunDir = DefaultRunDir
	}
	dir, err := filepath.Abs(o.RunDir)
	if err != nil {
		return nil, err
	}
	o.RunDir = dir
	return &Warren{opt: o, kernel: kernel.New(kernel.Config{NetnsDir: netns.Dir, RunDir: o.RunDir})}, nil
}

// Close gives back what Open and later calls took.
func (w *Warren) Close() error {
	return w.kernel.Close()
}

// Observe reads the kernel.
func (w *Warren) Observe(ctx context.Context, q state.Query) (state.Snapshot, error) {
	return w.kernel.Observe(ctx, q)
}

func (w *Warren) event(e Event) {
	if w.opt.Progress != nil {
		w.opt.Progress(e)
	}
}

func (w *Warren) point(name string) {
	if w.opt.Point != nil {
		w.opt.Point(name)
	}
}
