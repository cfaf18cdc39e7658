package iproute

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/netns"
)

// A session is one run of the program: one command or one batch.
type session struct {
	stdio       Stdio
	deps        Deps
	personality Personality
	opt         options
	ctx         context.Context

	ns    *netns.Handle // the namespace in question
	conn  *nl.Conn      // a route socket in it
	genl  *nl.Conn      // a generic netlink socket in it
	links *linkCache
	p     *printer

	named   map[string]*names // by file
	indexes map[string]int    // of links, in a batch, as long as age is the batch's
	age     int
	batched *int                // how many lines of the batch may have changed links; nil = no batch
	others  map[string]*session // of the other namespaces of a batch

	code       int  // of a command that failed in part
	inBatch    bool // children are started, the process is not replaced
	aborted    bool
	idNames    map[int]string // of namespaces that had an id, for a monitor
	linked     bool           // a line of the batch has shown links: from then on iproute2 shows links of addresses as it shows links
	monitoring bool
	deleted    bool // what is printed is no more
	cut        bool // JSON stays open, as ip leaves it when a dump fails
}

// close gives everything up.
func (s *session) close() {
	for _, o := range s.others {
		o.close()
	}
	s.others = nil
	if s.conn != nil {
		s.conn.Close()
	}
	if s.ns != nil {
		s.ns.Close()
	}
	if s.genl != nil {
		s.genl.Close()
	}
	s.conn, s.genl, s.ns, s.links = nil, nil, nil, nil
}

// command runs one command and writes what it printed, also when it failed.
func (s *session) command(list []string) int {
	s.code = exitOK
	s.links = nil
	s.p = nil
	s.cut = false
	s.deleted = false
	s.monitoring = false
	code := s.guard(func() {
		if s.opt.netns != "" {
			s.space()
		}
		if s.personality == Bridge {
			bridgeObject(s, &words{list: list})
			return
		}
		ipObject(s, &words{list: list})
	})
	if s.p != nil {
		if !s.aborted && !s.cut {
			s.p.close()
		}
		s.flush()
	}
	return code
}

// flush writes what was printed so far.
func (s *session) flush() {
	if s.p.b.Len() == 0 {
		return
	}
	// Nobody to tell when even standard output is gone; iproute2 says nothing either.
	_, _ = s.stdio.Out.Write(s.p.b.Bytes())
	s.p.b.Reset()
}

// out opens the command's output.
func (s *session) out() *printer {
	if s.p == nil {
		s.p = newPrinter(&s.opt, s.coloring())
	}
	return s.p
}

// space is the namespace that the command is about.
func (s *session) space() *netns.Handle {
	if s.ns != nil {
		return s.ns
	}
	var err error
	if s.opt.netns == "" {
		s.ns, err = netns.Current()
	} else {
		s.ns, err = s.openName(s.opt.netns)
	}
	if err != nil {
		die("%v", err)
	}
	return s.ns
}

// openName opens a namespace for entering: as ip by its name only, under our own name in any form.
func (s *session) openName(name string) (*netns.Handle, error) {
	if s.personality == Warren {
		return netns.Open(s.ctx, name)
	}
	if strings.Contains(name, "/") || name == "" || name == "." || name == ".." {
		die("Cannot open network namespace \"%s\": No such file or directory", name)
	}
	h, err := netns.OpenPath(filepath.Join(netns.Dir, name))
	switch {
	case errors.Is(err, netns.ErrNotExist):
		die("Cannot open network namespace \"%s\": No such file or directory", name)
	case errors.Is(err, netns.ErrNotNamespace):
		die("setting the network namespace \"%s\" failed: Invalid argument", name)
	case err != nil:
		die("Cannot open network namespace \"%s\": %s", name, errnoText(err))
	}
	return h, nil
}

// kernel is a route socket in the namespace.
func (s *session) kernel() *nl.Conn {
	if s.conn == nil {
		c, err := s.dial()
		if err != nil {
			fail(exitFailed, "Cannot open netlink socket: %s", errnoText(err))
		}
		s.conn = c
	}
	return s.conn
}

// dial opens a route socket: without a detour where no other namespace is named.
func (s *session) dial() (*nl.Conn, error) {
	if s.opt.netns != "" || s.ns != nil {
		c, err := s.space().Netlink(unix.NETLINK_ROUTE)
		if errors.Is(err, unix.EPERM) && s.personality != Warren {
			die("setting the network namespace \"%s\" failed: %s", s.opt.netns, errnoText(err))
		}
		return c, err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	return nl.New(fd)
}

// do sends one request.
func (s *session) do(req nl.Request, err error) {
	if err != nil {
		die("%v", err)
	}
	refused(s.kernel().Batch([]nl.Request{req})[0])
}

// ask sends one request and returns what the kernel answered.
func (s *session) ask(req nl.Request) ([]netlink.Message, error) {
	r := s.kernel().Query([]nl.Request{req})[0]
	return r.Messages, r.Err
}

// dump reads a table; what changed meanwhile is no reason to fail.
func (s *session) dump(req nl.Request) []netlink.Message {
	msgs, err := s.kernel().Dump(s.ctx, req)
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		if s.personality == Bridge {
			s.cut = true
			exit("%s\nDump terminated", kernelText(err))
		}
		fail(exitFailed, "%s\nDump terminated", kernelText(err))
	}
	return msgs
}

// program is what to start for a command in a child.
func (s *session) program() string {
	if s.deps.Program != "" {
		return s.deps.Program
	}
	path, err := os.Executable()
	if err != nil {
		fail(exitFailed, "cannot find this program: %v", err)
	}
	return path
}
