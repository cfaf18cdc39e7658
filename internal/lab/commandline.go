package lab

// CommandLine is a process's command line for a person: the program without its folder, cut when it is long; "" when it
// cannot be seen.
func CommandLine(pid int) string { return commandLine(pid) }
