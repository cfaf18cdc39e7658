package iproute

import (
	"context"
	"io"
	"strings"

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
