// Package rootless gives an ordinary user a world in which warren works as it does for root: a user namespace in which the
// user is root, with a mount and a network namespace of its own. There is no PID namespace, so that a command keeps its PID.
//
// [Enter] is the whole of it for the command line: for root it does nothing; an ordinary user's process is replaced by the
// same command inside the world. The first command makes the world. A holder, this program started with a hidden first
// argument ([HolderMain]), keeps it while there is a lab or a named namespace in it or a command at work, and then ends;
// [World.Leave] waits for that.
//
// In the world /run is a tmpfs with what was there bound back; /run/netns is fresh. Warren's own files are in a directory of
// the user's (mode 0700): $XDG_RUNTIME_DIR/warren, else /tmp/warren-UID. Two files there belong to this package: "@world",
// which tells who holds the world, and "@lock". A command shares the lock while it is at work; whoever makes or ends a
// world has it alone.
//
// A Go program cannot join a user namespace (setns(2) wants a single thread), so util-linux nsenter(1) does it and executes
// warren again. See user_namespaces(7). Linux 5.14.
package rootless
