package rtnl

import (
	"encoding/binary"
	"fmt"

	"warren/internal/nl"

	"golang.org/x/sys/unix"
)

// rtgenLen is the size of struct rtgenmsg, padded.
const rtgenLen = 4

// NoNSID is the id of a namespace that has none in the socket's one (NETNSA_NSID_NOT_ASSIGNED); given to [SetNSID] it lets
// the kernel choose.
const NoNSID = -1

// SetNSID gives the namespace behind a descriptor an id in the socket's namespace. The kernel refuses (EEXIST) when it has one
// or when the id is another's.
func SetNSID(fd, id int) nl.Request {
	e := &encoder{b: make([]byte, rtgenLen, 32)}
	e.u32(unix.NETNSA_FD, uint32(fd))
	e.u32(unix.NETNSA_NSID, uint32(int32(id)))
	return nl.Request{Type: unix.RTM_NEWNSID, Data: e.b}
}

// GetNSID asks for the id of the namespace behind a descriptor, as the socket's namespace knows it.
func GetNSID(fd int) nl.Request {
	e := &encoder{b: make([]byte, rtgenLen, 16)}
	e.u32(unix.NETNSA_FD, uint32(fd))
	return nl.Request{Type: unix.RTM_GETNSID, Data: e.b}
}

// DumpNSIDs asks for all ids.
func DumpNSIDs() nl.Request {
	return nl.Request{Type: unix.RTM_GETNSID, Data: make([]byte, rtgenLen)}
}

// DecodeNSID reads the body of an RTM_NEWNSID or RTM_DELNSID message; [NoNSID] when none is assigned.
func DecodeNSID(data []byte) (int, error) {
	_, w, err := header(data, rtgenLen)
	if err != nil {
		return 0, fmt.Errorf("nsid: %w", err)
	}
	id, found := NoNSID, false
	for w.next() {
		if w.typ == unix.NETNSA_NSID {
			id, found = int(int32(w.u32())), true
		}
	}
	switch {
	case w.err != nil:
		return 0, fmt.Errorf("nsid: %w", w.err)
	case !found:
		return 0, fmt.Errorf("nsid: %w: no id in it", ErrMalformed)
	}
	return id, nil
}

// EncodeNSID writes the body of an RTM_NEWNSID message as the kernel would.
func EncodeNSID(id int) []byte {
	b := make([]byte, rtgenLen, 12)
	b = binary.NativeEndian.AppendUint16(b, 8)
	b = binary.NativeEndian.AppendUint16(b, unix.NETNSA_NSID)
	return binary.NativeEndian.AppendUint32(b, uint32(int32(id)))
}
