package rtnl

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// netnsaCurrentNSID is NETNSA_CURRENT_NSID (linux/net_namespace.h, Linux 5.0).
const netnsaCurrentNSID = 5

// An NSIDPair is one namespace as two others know it; [NoNSID] = they do not.
type NSIDPair struct{ There, Here int }

// DumpNSIDsOf asks for all ids that another namespace, which the socket's one knows as target, gives, each with what the
// socket's own calls the same namespace. Linux 5.0.
func DumpNSIDsOf(target int) nl.Request {
	e := &encoder{b: make([]byte, rtgenLen, 16)}
	e.u32(unix.NETNSA_TARGET_NSID, uint32(int32(target)))
	return nl.Request{Type: unix.RTM_GETNSID, Data: e.b}
}

// DecodeNSIDPairs reads the answer to [DumpNSIDsOf].
func DecodeNSIDPairs(msgs []netlink.Message) ([]NSIDPair, error) {
	return decodeAll(msgs, unix.RTM_NEWNSID, func(b []byte) (NSIDPair, error) {
		p := NSIDPair{There: NoNSID, Here: NoNSID}
		_, w, err := header(b, rtgenLen)
		if err != nil {
			return p, fmt.Errorf("nsid: %w", err)
		}
		for w.next() {
			switch w.typ {
			case unix.NETNSA_NSID:
				p.There = int(int32(w.u32()))
			case netnsaCurrentNSID:
				p.Here = int(int32(w.u32()))
			}
		}
		return p, w.err
	})
}
