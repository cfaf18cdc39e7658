package iproute

// What "help" says for bridge's objects.
const (
	bridgeLinkUsage = `Usage: bridge link set dev DEV [ cost COST ] [ priority PRIO ] [ state STATE ] [ hwmode {vepa | veb} ]
                       [ {guard | hairpin | fastleave | root_block | learning | learning_sync | flood | mcast_flood |
                          bcast_flood | mcast_to_unicast | neigh_suppress | vlan_tunnel | isolated | locked} {on | off} ]
                       [ mcast_router NUMBER ] [ backup_port DEVICE ] [ nobackup_port ] [ self ] [ master ]
       bridge link show [ dev DEV ]`
	fdbUsage = `Usage: bridge fdb [ show ] [ br BRIDGE ] [ brport LINK ] [ vlan VLAN ] [ state STATE ] [ dynamic ]
       bridge fdb get [ to ] LLADDR { br BRIDGE | brport LINK | dev LINK } [ vlan VLAN ] [ vni NUMBER ]
                  [ self | master ] [ dynamic ]
       bridge fdb { add | append | del | replace } LLADDR dev LINK [ self ] [ master ] [ local | static | dynamic ]
                  [ sticky ] [ use ] [ router ] [ extern_learn ] [ vlan VLAN ] [ src_vni NUMBER ]
                  [ dst ADDRESS ] [ port PORT ] [ vni NUMBER ] [ nhid ID ] [ via LINK ]
       bridge fdb flush dev LINK [ brport LINK ] [ vlan VLAN ] [ self ] [ master ] [ [no]permanent ] [ [no]static ]
                  [ [no]dynamic ] [ [no]added_by_user ] [ [no]extern_learn ] [ [no]sticky ] [ [no]offloaded ]`
	mdbUsage = `Usage: bridge mdb [ show ] [ dev BRIDGE ] [ vid VLAN ]
       bridge mdb { add | del } dev BRIDGE port LINK grp ADDRESS [ src ADDRESS ] [ permanent | temp ] [ vid VLAN ]`
	vlanUsage = `Usage: bridge vlan [ show | tunnelshow ] [ dev LINK ] [ vid VLAN ]
       bridge vlan { add | del } dev LINK vid VLAN[-VLAN] [ tunnel_info id NUMBER ] [ pvid ] [ untagged ] [ self ] [ master ]
       bridge vlan set dev LINK vid VLAN [ state STATE ] [ mcast_router NUMBER ]
       bridge vlan global [ show ] [ dev BRIDGE ] [ vid VLAN ]
       bridge vlan global set dev BRIDGE vid VLAN [ OPTION NUMBER ]...
OPTION := mcast_snooping | mcast_querier | mcast_igmp_version | mcast_mld_version | mcast_last_member_count |
          mcast_last_member_interval | mcast_startup_query_count | mcast_startup_query_interval |
          mcast_membership_interval | mcast_querier_interval | mcast_query_interval | mcast_query_response_interval`
	vniUsage = `Usage: bridge vni [ show ] [ dev LINK ]
       bridge vni { add | del } dev LINK vni NUMBER[-NUMBER],... [ group ADDRESS | remote ADDRESS ]`
	bridgeMonitorUsage = `Usage: bridge monitor [ link | fdb | mdb | vlan | vni | all ] [ file FILE ]`
)
