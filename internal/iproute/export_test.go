package iproute

import (
	"bytes"
	"context"
	"io"
	"strings"

	"warren/internal/nl"
	"warren/internal/sockdiag"
)

// TryFilter reads an expression of ss and tries it on a socket, as we do and as the kernel would. ok is false when the
// expression is wrong, or asks for what only a system knows: links, cgroups, names of hosts and services.
func TryFilter(text string, i *sockdiag.Inet) (ours, kernels, ok bool) {
	for _, w := range ssWords([]string{text}) {
		switch operator(w) {
		case "dev", "cgroup", "autobound":
			return false, false, false
		case "":
			if strings.Trim(w, "0123456789.:/*x") != "" {
				return false, false, false
			}
		}
	}
	s := &ss{session: &session{stdio: Stdio{Out: io.Discard, Err: io.Discard}, personality: SS, ctx: context.Background()}, sel: ssSelection{all: true}}
	s.opt.numeric = true
	code := s.guard(func() {
		p := ssParser{s: s, words: ssWords([]string{text})}
		f := p.filter()
		if f == nil || f.odd() {
			return
		}
		ours, kernels, ok = f.matches(s, s.inetCommon(i, 6)), f.program().Run(i, false), true
	})
	return ours, kernels, ok && code == exitOK
}

// odd: an order is asked for by what is no port, such as "sport < *". The kernel is told one of 16 bits, and ss takes only what
// both agree upon.
func (f *ssFilter) odd() bool {
	if f == nil {
		return false
	}
	order := f.op == opLeast || f.op == opMost
	return order && (f.port < 0 || f.port > 0xffff) || f.a.odd() || f.b.odd()
}

// Tunnel is "ip ARGS", ARGS from "tunnel" on after the options, with a kernel that ask plays.
func Tunnel(args []string, ask func(request uint, name string, data []byte) error) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	s := &session{stdio: Stdio{Out: &stdout, Err: &stderr}, personality: IP, ctx: context.Background()}
	defer s.close()
	w := &words{list: args}
	code = s.guard(func() {
		s.opt = parseOptions(w, IP)
		w.skip()
		t := &tunnelCommand{session: s, family: s.opt.family, ioctl: ask}
		t.run(w)
	})
	if s.p != nil {
		if !s.aborted && !s.cut {
			s.p.close()
		}
		s.flush()
	}
	return code, stdout.String(), stderr.String()
}

// Xfrm is "ip ARGS", ARGS from "xfrm" on after the options, with a kernel behind a wire.
func Xfrm(args []string, wire nl.Wire) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	s := &session{stdio: Stdio{Out: &stdout, Err: &stderr}, personality: IP, ctx: context.Background()}
	defer s.close()
	code = s.guard(func() {
		w := &words{list: args}
		s.opt = parseOptions(w, IP)
		w.skip()
		x := newXfrmCommand(s)
		x.open = func() *nl.Conn { return nl.NewWire(wire) }
		switch w.take() {
		case "state":
			x.states(w)
		case "policy":
			x.policies(w)
		}
	})
	if s.p != nil {
		s.flush()
	}
	return code, stdout.String(), stderr.String()
}

// VRFFolder is the folder of a routing domain for a process of that cgroup.
func VRFFolder(mount, cgroup, space, domain string) string {
	return vrfFolder(mount, cgroup, space, domain)
}

// UnifiedMount finds the unified hierarchy of cgroups in /proc/mounts.
func UnifiedMount(mounts string) string { return unifiedMount(mounts) }

// BindSockets has the processes of a folder bind their sockets to a link. It returns what is said when that fails.
func BindSockets(folder string, index int) (refusal string) {
	defer func() {
		if f, ok := recover().(*failure); ok {
			refusal = f.text
		}
	}()
	bindSockets(folder, index)
	return ""
}
