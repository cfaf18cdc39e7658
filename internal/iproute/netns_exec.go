package iproute

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"warren/netns"
)

func netnsExec(s *session, w *words) {
	if w.left() < 1 && !s.opt.all {
		fail(exitFailed, "No netns name specified")
	}
	if s.opt.all {
		if !w.more() {
			fail(exitFailed, "No command specified")
		}
		s.execAll(w.rest())
		return
	}
	name := w.take()
	checkNetnsName(name)
	if !w.more() {
		fail(exitFailed, "No command specified")
	}
	if s.inBatch {
		s.code = s.child(name, w.rest())
		return
	}
	h, err := s.openName(name)
	if err != nil {
		die("%v", err)
	}
	defer h.Close()
	if s.p != nil {
		s.flush()
	}
	s.replace(h, w.rest())
}

// replace becomes the command.
func (s *session) replace(h *netns.Handle, argv []string) {
	run := s.deps.Exec
	if run == nil {
		run = netns.Exec
	}
	err := run(h, argv, netns.ExecOptions{Final: s.deps.Final, Warn: func(err error) { fmt.Fprintln(s.stdio.Err, err) }})
	if err != nil {
		s.notReplaced(err, argv)
	}
}

// notReplaced ends the command that could not become another.
func (s *session) notReplaced(err error, argv []string) {
	missing, ok := errors.AsType[*netns.ExecError](err)
	switch {
	case ok && s.personality == Warren:
		fail(missing.ExitCode(), "exec of \"%s\" failed: %s", argv[0], errnoText(err))
	case ok && errors.Is(err, fs.ErrNotExist), ok && errors.Is(err, exec.ErrNotFound):
		fail(exitFailed, "exec of \"%s\" failed: No such file or directory", argv[0])
	case ok:
		fail(exitFailed, "exec of \"%s\" failed: %s", argv[0], errnoText(err))
	}
	die("%v", err)
}

// execAll runs the command in each namespace, one after the other.
func (s *session) execAll(argv []string) {
	for _, name := range s.spaceNames() {
		fmt.Fprintf(s.stdio.Out, "\nnetns: %s\n", name)
		if code := s.child(name, argv); code != 0 && s.personality == Warren {
			s.code = exitFailed
		}
	}
}

// child runs a command in a namespace and waits for it: this program once more, which becomes the command.
func (s *session) child(name string, argv []string) int {
	if s.p != nil {
		s.flush()
	}
	return s.again(append([]string{"netns", "exec", name}, argv...), argv)
}

// again runs this program once more with other words, which become the command, and waits for it.
func (s *session) again(words, argv []string) int {
	cmd := exec.CommandContext(s.ctx, s.program())
	cmd.Args = append([]string{"ip"}, words...)
	if s.personality == Warren {
		cmd.Args[0] = "warren"
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.stdio.In, s.stdio.Out, s.stdio.Err
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if st, ok := exit.Sys().(syscall.WaitStatus); ok && st.Signaled() {
			if s.personality == Warren {
				return 128 + int(st.Signal())
			}
			// A child that died of a signal ends ip's batch, also a forced one, without a word.
			panic(&failure{code: exitFailed, abort: !s.opt.all})
		}
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintf(s.stdio.Err, "start %s: %s\n", strings.Join(argv, " "), errnoText(err))
		return exitFailed
	}
	return 0
}
