//go:build killpoints

package main

import (
	"os"
	"strconv"
	"sync/atomic"
	"syscall"

	"warren/internal/cli"
)

// This file is only in the binary that the crash tests build. WARREN_KILL_AT=N makes the program kill itself at the N-th
// boundary where a crash would leave another state behind.
func init() { //nolint:gochecknoinits // a test's hook, in a test's build
	at, err := strconv.ParseInt(os.Getenv("WARREN_KILL_AT"), 10, 64)
	if err != nil {
		return
	}
	_ = os.Unsetenv("WARREN_KILL_AT") // it is for this process: a watchdog that it starts is another
	var n atomic.Int64
	cli.Point = func(string) {
		if n.Add(1) == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}
