package warren

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"warren/internal/lab"
	"warren/netns"
	"warren/topo"
)

// RunSpec says what [Warren.Run] runs, and in what node.
type RunSpec struct {
	EditOptions
	NodeSpec
	Argv []string
	// Dir is the working directory; "" = the caller's.
	Dir string
	// Env is the environment; nil = the caller's. Of a detached command it is what comes on top of the environment of the
	// command that started the lab's supervisor.
	Env []string
	// Detach leaves the command running as the node's service "run", and the node with it, and returns when it has started.
	Detach bool
	// Files are standard input, output and error; nil = the caller's. A detached command writes to the lab's logs.
	Files [3]*os.File
	// Signals are passed on to the command; one that comes before it runs ends the making. Nil = none.
	Signals <-chan os.Signal
	// Started is told of the node when it is there and before the command runs; nil = nobody is.
	Started func(NodeStatus)
}

// A RunResult tells how a command ended.
type RunResult struct {
	Lab  string `json:"lab"`
	Node string `json:"node"`
	// Status is the exit status as shells have it: the command's own, or 128 and the signal's number.
	Status int `json:"status"`
	// Signal that ended the command; 0 = none.
	Signal syscall.Signal `json:"signal,omitempty"`
	// Edit is what making the node did.
	Edit *EditReport `json:"edit"`
}

// Run makes a node, runs a command in it in the foreground, and removes the node when the command has ended, with
// everything else that still runs in there. When ctx ends the command is terminated. When this process is killed, whatever
// runs in the node is ended and the node removed ([Options].Attendant).
//
// The error is nil whatever the command's exit status is. One that cannot be executed is an error with an ExitCode method:
// 127 not found, 126 not executable.
func (w *Warren) Run(ctx context.Context, spec RunSpec) (*RunResult, error) {
	result := &RunResult{Lab: spec.lab(), Node: spec.Name}
	if len(spec.Argv) == 0 {
		return result, errors.New("run: no command")
	}
	dir, err := filepath.Abs(spec.Dir)
	if err != nil {
		return result, err
	}
	spec.Dir = dir
	if err := findCommand(&spec); err != nil {
		return result, err
	}
	if spec.Detach {
		return w.runDetached(ctx, spec, result)
	}
	return w.runForeground(ctx, spec, result)
}

// findCommand looks for the command before anything is made for it.
func findCommand(spec *RunSpec) error {
	path, err := lab.FindCommand(spec.Argv[0], spec.Dir)
	if err == nil && spec.Detach {
		spec.Argv = append([]string{path}, spec.Argv[1:]...) // the supervisor's PATH may be another
	}
	return err
}

// makeNode is the edit that both kinds of run begin with.
func (w *Warren) makeNode(ctx context.Context, spec RunSpec, result *RunResult, n topo.Node, before func(lab.Dir) error) error {
	var err error
	result.Edit, err = w.apply(ctx, edit{
		EditOptions: spec.EditOptions, create: spec.lab() == topo.DefaultLab,
		change: func(e *topo.Editor, x *topo.Expanded, report *EditReport) error {
			n.Name = spec.Name
			if n.Name == "" {
				n.Name = nodeName(spec.Argv[0], e.HasNode)
			}
			result.Node = n.Name
			return addNode(e, x, spec.lab(), spec.NodeSpec, n, report)
		},
		touched: func() []string { return []string{result.Node} },
		before:  before,
	})
	return err
}

// nodeName makes a node's name of a command's, one that is free.
func nodeName(command string, taken func(string) bool) string {
	const most = 40
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, filepath.Base(command))
	name = strings.Trim(name[:min(len(name), most)], "-_")
	if name == "" || name == "host" || name == "all" || name == "out" {
		name = "run"
	}
	free := name
	for i := 2; taken(free); i++ {
		free = name + "-" + strconv.Itoa(i)
	}
	return free
}

// runDetached leaves the command to the lab's supervisor. A command that does not start leaves no node.
func (w *Warren) runDetached(ctx context.Context, spec RunSpec, result *RunResult) (*RunResult, error) {
	service := topo.Service{Name: "run", Cmd: topo.Command{Argv: spec.Argv}, Dir: spec.Dir, Env: spec.Env}
	err := w.makeNode(ctx, spec, result, topo.Node{Services: []topo.Service{service}}, nil)
	if errors.Is(err, ErrService) && result.Edit.Steps > 0 {
		err = errors.Join(err, w.removeRun(result, nil))
	}
	return result, err
}

// runForeground makes the node, and removes it in the end.
func (w *Warren) runForeground(ctx context.Context, spec RunSpec, result *RunResult) (*RunResult, error) {
	making, cancel := context.WithCancel(ctx)
	defer cancel()
	done, interrupted := make(chan struct{}), make(chan os.Signal, 1)
	go func() {
		defer close(interrupted)
		select {
		case s := <-spec.Signals:
			interrupted <- s
			cancel()
		case <-done:
		}
	}()
	// The attendant first: it starts while the node is made.
	attendant, err := w.attend(result.Lab)
	if err != nil {
		return result, err
	}
	defer attendant.dismiss()
	var claim *lab.Claim
	defer func() { claim.Close() }()
	err = w.makeNode(making, spec, result, topo.Node{}, func(dir lab.Dir) (err error) {
		claim, err = dir.Claim(result.Node)
		return err
	})
	close(done)
	if s, ok := <-interrupted; ok {
		if err == nil {
			err = w.removeRun(result, claim)
		}
		if n, isSignal := s.(syscall.Signal); isSignal {
			result.Signal, result.Status = n, 128+int(n)
			if errors.Is(err, context.Canceled) {
				err = nil
			}
		}
		return result, err
	}
	if err != nil {
		return result, err
	}
	err = w.runCommand(ctx, spec, result)
	w.point("command ended")
	return result, errors.Join(err, w.removeRun(result, claim))
}

// removeRun removes the node. It does not end with the context of the run: half a node is worse than a late answer.
func (w *Warren) removeRun(result *RunResult, claim *lab.Claim) error {
	_, err := w.apply(context.Background(), edit{
		EditOptions: EditOptions{Lab: result.Lab}, cleanup: true,
		change: func(e *topo.Editor, _ *topo.Expanded, _ *EditReport) error {
			if !e.HasNode(result.Node) {
				return nil // somebody was faster
			}
			return e.RemoveNode(result.Node)
		},
		done: claim.Drop,
	})
	if errors.Is(err, ErrNotExist) {
		return nil // the whole lab is gone
	}
	return err
}

// killAfter is how long a command that was told to end gets.
const killAfter = 5 * time.Second

// runCommand starts the command and waits for it, passing signals on.
func (w *Warren) runCommand(ctx context.Context, spec RunSpec, result *RunResult) error {
	dir, err := w.runDir().Dir(result.Lab)
	if err != nil {
		return err
	}
	env := spec.Env
	if env == nil {
		env = os.Environ()
	}
	files := spec.Files
	for i, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		if files[i] == nil {
			files[i] = f
		}
	}
	if spec.Started != nil && len(result.Edit.Nodes) > 0 {
		spec.Started(result.Edit.Nodes[0])
	}
	p, err := lab.Foreground(lab.Service{
		Node: result.Node, Name: "run", Argv: spec.Argv, Dir: spec.Dir,
		NS:    filepath.Join(netns.Dir, result.Lab+"."+result.Node),
		Hosts: dir.HostsPath(result.Node), Resolv: dir.ResolvPath(result.Node),
	}, env, files)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	relayed := make(chan struct{})
	go func() {
		defer close(relayed)
		relay(ctx, p, spec.Signals, ended)
	}()
	state, err := p.Wait()
	close(ended)
	<-relayed
	if err != nil {
		return err
	}
	result.Status = state.ExitCode()
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		result.Signal = ws.Signal()
		result.Status = 128 + int(ws.Signal())
	}
	return nil
}

// relay passes signals on until the command has ended. What is typed at a terminal reaches the command by itself, for it is in
// the same process group.
func relay(ctx context.Context, p *os.Process, signals <-chan os.Signal, ended <-chan struct{}) {
	over := ctx.Done()
	var kill <-chan time.Time
	for {
		select {
		case s := <-signals:
			if (s == syscall.SIGINT || s == syscall.SIGQUIT) && lab.SameTerminal() {
				continue
			}
			_ = p.Signal(s) // fails only when it has ended
		case <-over:
			over = nil
			_ = p.Signal(syscall.SIGTERM)
			kill = time.After(killAfter)
		case <-kill:
			_ = p.Kill()
		case <-ended:
			return
		}
	}
}
