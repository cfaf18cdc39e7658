// A command lives shortly: the runtime need not follow changes of a control group's limit of processors, nor name its mappings.
//
//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Warren makes, wires, inspects and explains Linux network namespaces. See "warren help" or docs/man/warren.1.
//
// This file decides what the program was called as, and nothing else.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"warren/internal/cli"
	"warren/internal/iproute"
	"warren/internal/lab"
	"warren/internal/rootless"
	"warren/internal/wayout"
)

func main() {
	os.Exit(run(os.Args))
}

// garbage is how much of it a command may make before it is collected, in percent of what it holds: a command lives
// shortly. With 1,000 nodes that stays below 60 MB.
const garbage = 150

func run(args []string) int {
	switch {
	case lab.IsSupervisor(args):
		return lab.SupervisorMain(args)
	case rootless.IsHolder(args):
		return rootless.HolderMain(args)
	case wayout.IsAgent(args):
		return wayout.Main(args)
	case os.Getenv("CNI_COMMAND") != "":
		return refuse("CNI_COMMAND is set, but this version is no CNI plugin")
	}
	if p, ok := personality(args); ok {
		return iproute.Main(args[1:], p, iproute.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, iproute.Deps{Final: true})
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if len(args) > 0 {
		args = args[1:]
	}
	return cli.Main(args, cli.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}

// personality is the program of iproute2 that a link to this one is called as.
func personality(args []string) (iproute.Personality, bool) {
	if len(args) == 0 {
		return 0, false
	}
	switch filepath.Base(args[0]) {
	case "ip":
		return iproute.IP, true
	case "bridge":
		return iproute.Bridge, true
	case "ss":
		return iproute.SS, true
	}
	return 0, false
}

func refuse(why string) int {
	fmt.Fprintf(os.Stderr, "warren: %s\n", why)
	return 2
}
