package iproute

import (
	"bytes"
	"context"
)

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
