package ctnl

import (
	"fmt"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// msgStats is IPCTNL_MSG_CT_GET_STATS (Linux 3.6), ctaEntries CTA_STATS_GLOBAL_ENTRIES.
const (
	msgStats   = 5
	ctaEntries = 1
)

// Count asks how many connections the namespace of the socket has. That costs nothing, while a dump goes through the table of
// all namespaces of the machine, however few the entries are.
func Count() nl.Request {
	return nl.Request{Type: subsystem | msgStats, Data: make([]byte, genLen)}
}

// DecodeCount reads the answer to Count.
func DecodeCount(m netlink.Message) (uint32, error) {
	if m.Header.Type != subsystem|msgStats || len(m.Data) < genLen {
		return 0, fmt.Errorf("%w: not a count", ErrMalformed)
	}
	a := rtnl.ParseAttrs(m.Data[genLen:])
	if !a.Has(ctaEntries) {
		return 0, fmt.Errorf("%w: a count without entries", ErrMalformed)
	}
	return be32(a, ctaEntries), nil
}
