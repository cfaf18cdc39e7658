package iproute

// What "help" says. Scripts read no more of it than that it is there.
const (
	ipUsage = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | bridge | link | monitor | neighbor | netns | route | rule | tuntap }
       OPTIONS := { -n NETNS | -4 | -6 | -0 | -f FAMILY | -s | -d | -o | -br | -j | -p | -a | -N | -V }`
	bridgeUsage = `Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }
       bridge [ -force ] -batch filename
where  OBJECT := { link | fdb | mdb | vlan | monitor }
       OPTIONS := { -n NETNS | -s | -d | -o | -t | -j | -p | -c | -V }`
	netnsUsage = `Usage: ip netns list
       ip netns add NAME
       ip netns attach NAME PID
       ip netns set NAME NETNSID
       ip [-all] netns delete [NAME]
       ip netns identify [PID]
       ip netns pids NAME
       ip [-all] netns exec [NAME] cmd ...
       ip netns monitor
       ip netns list-id [target-nsid POSITIVE-INT] [nsid POSITIVE-INT]
NETNSID := auto | POSITIVE-INT`
	linkUsage = `Usage: ip link add [link DEV | parentdev NAME] [ name ] NAME [ txqueuelen PACKETS ] [ address LLADDR ] [ broadcast LLADDR ]
                   [ mtu MTU ] [index IDX ] [ numtxqueues COUNT ] [ numrxqueues COUNT ] [ netns { PID | NETNSNAME } ] type TYPE [ ARGS ]
       ip link delete { DEVICE | dev DEVICE | group DEVGROUP } type TYPE [ ARGS ]
       ip link set { DEVICE | dev DEVICE | group DEVGROUP } [ { up | down } ] [ ARGS ]
       ip link show [ DEVICE | group GROUP ] [up] [master DEV] [type TYPE]
       ip link property add dev DEVICE [ altname NAME .. ]
       ip link property del dev DEVICE [ altname NAME .. ]`
	addrUsage = `Usage: ip address {add|change|replace} IFADDR dev IFNAME [ LIFETIME ] [ CONFFLAG-LIST ]
       ip address del IFADDR dev IFNAME
       ip address {flush|show} [ dev IFNAME ] [ scope SCOPE-ID ] [ to PREFIX ] [ FLAG-LIST ] [ label LABEL ] [up]`
	routeUsage = `Usage: ip route { list | flush } SELECTOR
       ip route get ADDRESS [ from ADDRESS iif STRING ] [ oif STRING ] [ mark NUMBER ] [ vrf NAME ] [ uid NUMBER ]
       ip route { add | del | change | append | replace } ROUTE`
	neighUsage = `Usage: ip neigh { add | del | change | replace } { ADDR [ lladdr LLADDR ] [ nud STATE ] proxy ADDR } [ dev DEV ]
       ip neigh { show | flush } [ proxy ] [ to PREFIX ] [ dev DEV ] [ nud STATE ]
       ip neigh get { ADDR | proxy ADDR } dev DEV`
	ruleUsage = `Usage: ip rule { add | del } SELECTOR ACTION
       ip rule { flush | save | restore }
       ip rule [ list [ SELECTOR ]]`
)

// usageOf ends the command with an object's usage.
func usageOf(text string) { panic(&failure{code: exitUsage, text: text, abort: true}) }

// What "help" says for objects that are seldom used.
const (
	nexthopUsage = `Usage: ip nexthop { list | flush } [ protocol ID ] [ id ID ] [ dev DEV ] [ vrf NAME ] [ master DEV ] [ groups ] [ fdb ]
       ip nexthop { add | replace } id ID NH [ protocol ID ]
       ip nexthop { get | del } id ID
       ip nexthop bucket list [ SELECTOR ] [ nhid ID ]
       ip nexthop bucket get id ID index INDEX
NH := { blackhole | [ via ADDRESS ] [ dev DEV ] [ onlink ] [ encap ENCAPTYPE ENCAPHDR ] |
        group <id[,weight]>/... [ fdb ] [ type { mpath | resilient [ buckets N ] [ idle_timer S ] [ unbalanced_timer S ] } ] }`
	monitorUsage = `Usage: ip monitor [ all | OBJECTS ] [ file FILENAME ] [ label ] [ all-nsid ] [ dev DEVICE ]
OBJECTS := address | link | mroute | neigh | netconf | nexthop | nsid | prefix | route | rule | stats`
	maddrUsage = `Usage: ip maddr [ add | del ] MULTIADDR dev STRING
       ip maddr show [ dev STRING ]`
	mrouteUsage  = `Usage: ip mroute show [ [ to ] PREFIX ] [ from PREFIX ] [ iif DEVICE ] [ table TABLE_ID ]`
	netconfUsage = `Usage: ip netconf show [ dev STRING ]`
	tokenUsage   = `Usage: ip token [ list | set | del | get ] [ TOKEN ] [ dev DEV ]`
	ntableUsage  = `Usage: ip ntable change name NAME [ dev DEV ] [ thresh1 VAL ] [ thresh2 VAL ] [ thresh3 VAL ] [ gc_int MSEC ] [ PARMS ]
       ip ntable show [ dev DEV ] [ name NAME ]`
	addrlabelUsage = `Usage: ip addrlabel { add | del } prefix PREFIX [ dev DEV ] [ label LABEL ]
       ip addrlabel [ list | flush | help ]`
)
