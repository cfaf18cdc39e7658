package warren

import (
	"context"
	"errors"
	"fmt"

	"warren/netns"
)

// Exec replaces the calling process by a command inside a namespace: the PID, signals and exit status are the command's
// own. It sees the namespace's devices in /sys, and in a lab's node the lab's names in /etc/hosts and its resolvers. Exec
// returns only when it failed: with a [netns.ExecError], which knows the status that shells use, when it is for the command.
func (w *Warren) Exec(ctx context.Context, e ExecSpec) error {
	t, err := w.Resolve(e.Lab, e.Target)
	if err != nil {
		return err
	}
	h, err := netns.Open(ctx, t.Ref)
	if errors.Is(err, netns.ErrNotExist) {
		return fmt.Errorf("namespace %q: %w: %w", e.Target, ErrNotExist, err)
	}
	if err != nil {
		return err
	}
	o := netns.ExecOptions{Dir: e.Dir, Env: e.Env, Sys: e.Sys, Final: e.Final, Warn: e.Warn}
	if t.Node != "" {
		dir, err := w.runDir().Dir(t.Lab)
		if err == nil {
			o.Hosts, o.ResolvConf = dir.HostsPath(t.Node), dir.ResolvPath(t.Node)
		}
	}
	return netns.Exec(h, e.Argv, o)
}
