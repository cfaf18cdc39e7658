package iproute

import (
	"context"
	"errors"
	"fmt"
	"io"

	"warren/netns"
)

// A Personality is the program that is spoken as.
type Personality int

// The programs.
const (
	IP     Personality = iota // ip(8)
	Bridge                    // bridge(8)
	SS                        // ss(8)
	Warren                    // ip's grammar under our own name
)

// String is the program's name.
func (p Personality) String() string {
	switch p {
	case IP:
		return "ip"
	case Bridge:
		return "bridge"
	case SS:
		return "ss"
	case Warren:
		return "warren"
	}
	panic(fmt.Sprintf("no such personality: %d", int(p)))
}

// Stdio is where the command reads and writes.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
}

// Deps is what surrounds the command; the zero value will do.
type Deps struct {
	// Program is started, with "ip" as its own name, where "ip -batch" and "ip -all netns exec" run a command and go on
	// afterwards. "" = this very program.
	Program string
	// Exec replaces the process; nil = netns.Exec.
	Exec func(h *netns.Handle, argv []string, o netns.ExecOptions) error
	// Outlives reports whether a link of that name and kind outlives its namespace; nil = one without a kind does, but for the
	// loopback. Tests have no hardware.
	Outlives func(name, kind string) bool
	// Final says that the program ends after Main, which makes "netns exec" faster: see netns.ExecOptions.
	Final bool
	// Signals ends what would go on for ever; nil = nothing does.
	Context context.Context
}

// Main runs one command, args without the program's name, and returns its exit code.
func Main(args []string, p Personality, io Stdio, deps Deps) int {
	if p == SS {
		return mainSS(args, io, deps)
	}
	s := &session{stdio: io, deps: deps, personality: p, ctx: deps.Context}
	if s.ctx == nil {
		s.ctx = context.Background()
	}
	defer s.close()
	w := &words{list: args}
	code := s.guard(func() {
		s.opt = parseOptions(w, p)
		if s.opt.pretty && !s.opt.json {
			s.opt.pretty = false
		}
	})
	switch {
	case code != exitOK:
		return code
	case s.opt.version:
		name := "iproute2-"
		if p == Bridge {
			name = ""
		}
		fmt.Fprintf(io.Out, "%s utility, %s6.1.0\n", p, name)
		return exitOK
	case s.opt.help:
		return s.usage()
	case s.opt.batch != "":
		return s.batch(s.opt.batch)
	case !w.more():
		return s.usage()
	}
	return s.command(w.rest())
}

// guard runs f and turns what it failed with into an exit code and a sentence.
func (s *session) guard(f func()) (code int) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		e, ok := r.(error)
		var fl *failure
		if !ok || !errors.As(e, &fl) {
			panic(r)
		}
		s.say(fl)
		s.aborted = s.aborted || fl.abort
		code = fl.code
		if s.personality == Bridge && !fl.exact {
			code = exitUsage // nearly whatever it is, as bridge has it
		}
	}()
	f()
	return s.code
}

func (s *session) say(f *failure) {
	if f.text != "" {
		fmt.Fprintln(s.stdio.Err, f.text)
	}
}

func (s *session) usage() int {
	text := ipUsage
	if s.personality == Bridge {
		text = bridgeUsage
	}
	fmt.Fprintln(s.stdio.Err, text)
	return exitUsage
}
