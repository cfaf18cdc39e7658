package kernel

import (
	"slices"
	"strconv"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// settingOf says as what rtnetlink tells a sysctl. With many namespaces asking there costs a tenth of looking below
// /proc/sys, see [proc].
func settingOf(key string) (s rtnl.Setting, ok bool) {
	switch key {
	case "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding":
		return rtnl.Setting{What: rtnl.SettingForwarding}, true
	case "net/ipv4/conf/all/rp_filter":
		return rtnl.Setting{What: rtnl.SettingRPFilter}, true
	case "net/ipv4/conf/all/proxy_arp":
		return rtnl.Setting{What: rtnl.SettingProxyNeighbor}, true
	case "net/ipv4/conf/all/ignore_routes_with_linkdown":
		return rtnl.Setting{What: rtnl.SettingIgnoreLinkdown}, true
	case "net/ipv4/conf/default/forwarding":
		return rtnl.Setting{Default: true, What: rtnl.SettingForwarding}, true
	case "net/ipv4/conf/default/rp_filter":
		return rtnl.Setting{Default: true, What: rtnl.SettingRPFilter}, true
	case "net/ipv6/conf/all/forwarding":
		return rtnl.Setting{IPv6: true, What: rtnl.SettingForwarding}, true
	case "net/ipv6/conf/all/proxy_ndp":
		return rtnl.Setting{IPv6: true, What: rtnl.SettingProxyNeighbor}, true
	}
	return s, false
}

// readSettings reads the sysctls that rtnetlink tells, and returns the keys of the others. What is not answered is one of
// them. One answer tells all settings of "all" or of "default" of a protocol.
func readSettings(conn *nl.Conn, keys []string, c *state.Contents) (left []string) {
	left = make([]string, 0, len(keys))
	type wanted struct {
		key     string
		setting rtnl.Setting
		answer  int // which request
	}
	var asked []wanted
	var scopes []rtnl.Setting
	var reqs []nl.Request
	for _, key := range keys {
		s, ok := settingOf(key)
		if !ok {
			left = append(left, key)
			continue
		}
		scope := rtnl.Setting{IPv6: s.IPv6, Default: s.Default}
		at := slices.Index(scopes, scope)
		if at < 0 {
			at = len(scopes)
			scopes, reqs = append(scopes, scope), append(reqs, rtnl.GetSetting(scope))
		}
		asked = append(asked, wanted{key, s, at})
	}
	if len(reqs) == 0 {
		return left
	}
	answers := conn.Query(reqs)
	for _, w := range asked {
		told := false
		for _, m := range answers[w.answer].Messages {
			if v, ok, err := rtnl.DecodeSetting(w.setting, m.Data); err == nil && ok && !told {
				c.Sysctls = append(c.Sysctls, state.Sysctl{Key: w.key, Value: strconv.Itoa(int(v))})
				told = true
			}
		}
		if !told {
			left = append(left, w.key)
		}
	}
	return left
}
