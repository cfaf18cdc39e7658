package sockdiag

import "fmt"

// A Status is what state a socket is in, with TCP's names and numbers (net/tcp_states.h), which all families use.
type Status uint8

// The states.
const (
	Established Status = 1 + iota
	SynSent
	SynRecv
	FinWait1
	FinWait2
	TimeWait
	Close
	CloseWait
	LastAck
	Listen
	Closing
	NewSynRecv    // never told, but a number: the kernel says SynRecv
	BoundInactive // asked for, Linux 6.8: TCP sockets with an address that neither listen nor connect; they are Close
)

// String is the state's name as ss(8) prints it.
func (s Status) String() string {
	switch s {
	case Established:
		return "ESTAB"
	case SynSent:
		return "SYN-SENT"
	case SynRecv, NewSynRecv:
		return "SYN-RECV"
	case FinWait1:
		return "FIN-WAIT-1"
	case FinWait2:
		return "FIN-WAIT-2"
	case TimeWait:
		return "TIME-WAIT"
	case Close, BoundInactive:
		return "UNCONN"
	case CloseWait:
		return "CLOSE-WAIT"
	case LastAck:
		return "LAST-ACK"
	case Listen:
		return "LISTEN"
	case Closing:
		return "CLOSING"
	case 0:
		return "UNKNOWN"
	default:
		return fmt.Sprintf("STATE-%d", uint8(s))
	}
}

// Statuses is a set of states, a bit for each.
type Statuses uint32

// All is every state.
const All Statuses = 1<<(BoundInactive+1) - 1

// Only is the set of these states.
func Only(list ...Status) Statuses {
	var s Statuses
	for _, st := range list {
		s |= 1 << st
	}
	return s
}

// Has reports whether the state is in the set.
func (s Statuses) Has(st Status) bool { return s&(1<<st) != 0 }
