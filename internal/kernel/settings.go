package kernel

import (
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
	case "net/ipv4/conf/default/rp_filter":
		return rtnl.Setting{Default: true, What: rtnl.SettingRPFilter}, true
	case "net/ipv6/conf/all/forwarding":
		return rtnl.Setting{IPv6: true, What: rtnl.SettingForwarding}, true
	}
	return s, false
}

// readSettings reads the sysctls that rtnetlink tells, and returns the keys of the others. What is not answered is one of
// them.
func readSettings(conn *nl.Conn, keys []string, c *state.Contents) (left []string) {
	left = make([]string, 0, len(keys))
	var asked []string
	var settings []rtnl.Setting
	var reqs []nl.Request
	for _, key := range keys {
		if s, ok := settingOf(key); ok {
			asked, settings, reqs = append(asked, key), append(settings, s), append(reqs, rtnl.GetSetting(s))
		} else {
			left = append(left, key)
		}
	}
	if len(reqs) == 0 {
		return left
	}
	for i, r := range conn.Exchange(reqs) {
		told := false
		for _, m := range r.Messages {
			if v, ok, err := rtnl.DecodeSetting(settings[i], m.Data); err == nil && ok && !told {
				c.Sysctls = append(c.Sysctls, state.Sysctl{Key: asked[i], Value: strconv.Itoa(int(v))})
				told = true
			}
		}
		if !told {
			left = append(left, asked[i])
		}
	}
	return left
}
