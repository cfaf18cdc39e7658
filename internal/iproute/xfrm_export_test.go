package iproute

import (
	"bytes"
	"context"

	"warren/internal/nl"
)

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
