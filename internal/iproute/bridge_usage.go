package iproute

// What "help" says for bridge's objects.
const (
	bridgeLinkUsage = `Usage: bridge link set dev DEV [ cost COST ] [ priority PRIO ] [ state STATE ] [ hwmode {vepa | veb} ]
                       [ {guard | hairpin | fastleave | root_block | learning | learning_sync | flood | mcast_flood |
                          bcast_flood | mcast_to_unicast | neigh_suppress | vlan_tunnel | isolated | locked} {on | off} ]
                       [ mcast_router NUMBER ] [ backup_port DEVICE ] [ nobackup_port ] [ self ] [ master ]
       bridge link show [ dev DEV ]`
	fdbUsage = `Usage: bridge fdb { add | append | del | replace } ADDR dev DEV [ self ] [ master ] [ use ] [ router ] [ extern_learn ]
                  [ sticky ] [ local | static | dynamic ] [ vlan VID ]
                  { [ dst IPADDR ] [ port PORT ] [ vni VNI ] | [ nhid NHID ] } [ via DEV ] [ src_vni VNI ]
       bridge fdb [ show [ br BRDEV ] [ brport DEV ] [ vlan VID ] [ state STATE ] [ dynamic ] ]
       bridge fdb get [ to ] LLADDR [ br BRDEV ] { brport | dev } DEV [ vlan VID ] [ vni VNI ] [ self ] [ master ] [ dynamic ]
       bridge fdb flush dev DEV [ brport DEV ] [ vlan VID ] [ self ] [ master ] [ [no]permanent | [no]static | [no]dynamic ]
                  [ [no]added_by_user ] [ [no]extern_learn ] [ [no]sticky ] [ [no]offloaded ]`
	mdbUsage = `Usage: bridge mdb { add | del } dev DEV port PORT grp GROUP [ src SOURCE ] [ permanent | temp ] [ vid VID ]
       bridge mdb { show } [ dev DEV ] [ vid VID ]`
	vlanUsage = `Usage: bridge vlan { add | del } vid VLAN_ID dev DEV [ tunnel_info id TUNNEL_ID ] [ pvid ] [ untagged ] [ self ] [ master ]
       bridge vlan { set } vid VLAN_ID dev DEV [ state STP_STATE ] [ mcast_router MULTICAST_ROUTER ]
       bridge vlan { show | tunnelshow } [ dev DEV ] [ vid VLAN_ID ]
       bridge vlan global { set } vid VLAN_ID dev DEV [ mcast_snooping | mcast_querier | mcast_igmp_version | mcast_mld_version |
                  mcast_last_member_count | mcast_last_member_interval | mcast_startup_query_count |
                  mcast_startup_query_interval |
                  mcast_membership_interval | mcast_querier_interval | mcast_query_interval |
                  mcast_query_response_interval NUMBER ]
       bridge vlan global { show } [ dev DEV ] [ vid VLAN_ID ]`
	vniUsage = `Usage: bridge vni { add | del } vni VNI [ { group | remote } IP_ADDRESS ] [ dev DEV ]
       bridge vni { show }`
	bridgeMonitorUsage = `Usage: bridge monitor [file | link | fdb | mdb | vlan | vni | all]`
)
