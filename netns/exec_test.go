package netns_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"warren/netns"
)

// An execOrder is what the role "exec" does.
type execOrder struct {
	Ref     string
	Argv    []string
	Options struct {
		Hosts, ResolvConf, Dir string
		Sys                    netns.SysMode
		Env                    []string
	}
}

func playExec(args []string) int {
	var order execOrder
	if err := json.Unmarshal([]byte(args[0]), &order); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	h, err := netns.OpenPath(order.Ref)
	if err == nil {
		err = netns.Exec(h, order.Argv, netns.ExecOptions{
			Hosts: order.Options.Hosts, ResolvConf: order.Options.ResolvConf, Dir: order.Options.Dir, Sys: order.Options.Sys, Env: order.Options.Env,
			Warn: func(err error) { fmt.Fprintln(os.Stderr, "warning:", err) },
		})
	}
	fmt.Fprintln(os.Stderr, err)
	if e, ok := errors.AsType[*netns.ExecError](err); ok {
		return e.ExitCode()
	}
	return 1
}
