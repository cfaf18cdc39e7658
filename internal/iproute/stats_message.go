package iproute

import (
	"warren/internal/nl"
	"warren/internal/rtnl"
)

// Messages of counters beyond a link's own (struct if_stats_msg, linux/if_link.h).
const (
	ifStatsLen = 12

	statsXstats      = 2 // IFLA_STATS_LINK_XSTATS
	statsXstatsSlave = 3
	statsAFSpec      = 5

	xstatsBridge = 1 // LINK_XSTATS_TYPE_BRIDGE
)

// statsRequest asks for counters of one link (0 = all) that a mask of 1<<(attribute-1) names.
func statsRequest(_ *session, index, mask uint32) nl.Request {
	m := rtnl.NewMessage(ifStatsLen)
	native.PutUint32(m.Head()[4:], index)
	native.PutUint32(m.Head()[8:], mask)
	const rtmGetStats = 94
	req, err := m.Request(rtmGetStats, 0)
	if err != nil {
		die("%v", err)
	}
	return req
}
