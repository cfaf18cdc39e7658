package wayout

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Files in the world's directory.
const (
	socketName = "@outside"
	// wantedName is there once a lab wanted a way out: whoever replaces an agent knows by it.
	wantedName = "@wayout"
)

// Files lists what this package may leave in a world's directory.
func Files() []string { return []string{socketName, wantedName} }

// A request is one JSON value on a connection of its own; the answer is one too, and for opListen a socket comes with it.
type request struct {
	Op    op             `json:"op"`
	Proto string         `json:"proto,omitempty"` // of opListen: "tcp" or "udp"
	Addr  netip.AddrPort `json:"addr,omitzero"`
}

type op string

const (
	opCheck  op = "check"  // repair what was killed; nobody waits for the answer
	opOpen   op = "open"   // open the way out, if it is not
	opListen op = "listen" // bind a port of the real host
	opEnd    op = "end"    // end, with all that was started
)

type reply struct {
	Way   Way    `json:"way,omitzero"`
	Error *fault `json:"error,omitempty"`
	PID   int    `json:"pid,omitempty"` // of the agent; with opEnd
}

// A fault is an error on its way through the socket.
type fault struct {
	Text  string        `json:"text"`
	Errno syscall.Errno `json:"errno,omitempty"`
}

// A Way is the way out of a world. The zero value: there is none, because neither program is installed.
type Way struct {
	// Tool is the program: "pasta" or "slirp4netns".
	Tool string `json:"tool,omitempty"`
	// Prefix is what the world and the tool have between them.
	Prefix netip.Prefix `json:"prefix,omitzero"`
	// DNS is an address where the tool passes queries on to the real host's resolver, over UDP.
	DNS netip.Addr `json:"dns,omitzero"`
	// Failed says why the tool that is installed does not work; "" = it does.
	Failed string `json:"failed,omitempty"`
}

// Link is the name of the way out in the world's host namespace.
const Link = "outside"

// at calls f with a name of the socket that is short enough for a socket's address (107 bytes): through the directory's
// descriptor.
func at(dir string, f func(path string) error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return f(filepath.Join("/proc/self/fd", strconv.Itoa(int(d.Fd())), socketName))
}

// network is a socket of messages, each of which comes whole.
const network = "unixpacket"

// maxMessage is more than a message has.
const maxMessage = 16 << 10
