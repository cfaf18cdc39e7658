package iproute

import "fmt"

// mainSS is ss(8).
func mainSS(_ []string, io Stdio, _ Deps) int {
	fmt.Fprintln(io.Err, "ss is not supported by this version of warren: use iproute2's own ss.")
	return exitUsage
}
