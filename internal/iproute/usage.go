package iproute

// What "help" says. Scripts look there for a word, to learn whether this ip knows an option: every option is named.
const (
	ipUsage = `Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }
       ip [ -force ] -batch filename
where  OBJECT := { address | addrlabel | bridge | link | maddress | macsec | monitor | mptcp | mroute | mrule | neighbor | netconf |
                   netns | nexthop | ntable | route | rule | stats | tcp_metrics | token | tunnel | tuntap | vrf | xfrm }
       OPTIONS := { -V[ersion] | -n[etns] NETNS | -a[ll] | -4 | -6 | -M | -B | -0 | -f[amily] { inet | inet6 | mpls | bridge | link } |
                    -s[tatistics] | -d[etails] | -h[uman-readable] | -iec | -o[neline] | -br[ief] | -j[son] | -p[retty] |
                    -t[imestamp] | -ts[hort] | -r[esolve] | -N[umeric] | -c[olor] | -l[oops] COUNT | -rc[vbuf] SIZE }`
	bridgeUsage = `Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }
       bridge [ -force ] -batch filename
where  OBJECT := { link | fdb | mdb | vlan | vni | monitor }
       OPTIONS := { -V[ersion] | -n[etns] NETNS | -s[tatistics] | -d[etails] | -o[neline] | -t[imestamp] | -j[son] | -p[retty] | -c[olor] |
                    -com[pressvlans] }`
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
	addrUsage = `Usage: ip address { add | change | replace } PREFIX dev IFNAME [ peer PREFIX ] [ broadcast { ADDR | + | - } ] [ anycast ADDR ]
                  [ label LABEL ] [ scope SCOPE ] [ metric METRIC ] [ valid_lft LIFE ] [ preferred_lft LIFE ] [ proto PROTO ]
                  [ home | nodad | mngtmpaddr | noprefixroute | autojoin ]
       ip address del PREFIX dev IFNAME [ mngtmpaddr ]
       ip address { show | flush } [ [ dev ] IFNAME ] [ scope SCOPE ] [ to PREFIX ] [ label PATTERN ] [ up ]
                  [ master DEVICE ] [ nomaster ]
                  [ type TYPE ] [ vrf NAME ] [ group GROUP ] [ [-]FLAG ... ]
       ip address { save | showdump | restore }
LIFE := { forever | SECONDS }
SCOPE := { host | link | global | NUMBER }
FLAG := { permanent | dynamic | primary | secondary | temporary | tentative | deprecated | dadfailed | home | nodad | mngtmpaddr |
          noprefixroute | autojoin }`
	neighUsage = `Usage: ip neigh { add | change | replace } ADDR [ lladdr LLADDR ] [ nud STATE ] [ dev DEV ] [ router ] [ use ] [ managed ]
                  [ extern_learn ] [ protocol PROTO ]
       ip neigh { add | del } proxy ADDR [ dev DEV ]
       ip neigh del ADDR [ dev DEV ]
       ip neigh { show | flush } [ proxy ] [ [ to ] PREFIX ] [ dev DEV ] [ nud STATE ] [ vrf NAME ]
                  [ nomaster ] [ protocol PROTO ] [ unused ]
       ip neigh get { ADDR | proxy ADDR } dev DEV
STATE := { delay | failed | incomplete | noarp | none | permanent | probe | reachable | stale | all }`
	ruleUsage = `Usage: ip rule { add | del } SELECTOR ACTION
       ip rule { flush | save | restore } [ protocol PROTO ]
       ip rule [ show [ SELECTOR ] ]
SELECTOR := [ not ] [ from PREFIX ] [ to PREFIX ] [ tos TOS | dsfield DS ] [ fwmark MARK[/MASK] ] [ iif DEVICE ]
            [ oif DEVICE ] [ l3mdev ]
            [ uidrange FIRST-LAST ] [ ipproto PROTOCOL ] [ sport NUMBER[-NUMBER] ] [ dport NUMBER[-NUMBER] ] [ tun_id ID ]
            [ priority PREFERENCE ]
ACTION := { [ table TABLE ] | goto NUMBER | nop | blackhole | unreachable | prohibit | nat ADDRESS } [ realms [SRC/]DST ]
          [ protocol PROTO ] [ suppress_prefixlength LENGTH ] [ suppress_ifgroup GROUP ]`
	routeUsage = `Usage: ip route { show | flush } [ root PREFIX | match PREFIX | exact PREFIX ] [ table { TABLE | all | cache | local | main } ]
                  [ vrf NAME ] [ protocol PROTO ] [ type TYPE ] [ scope SCOPE ] [ dev DEV ] [ via ADDR ]
                  [ src ADDR ] [ from PREFIX ]
                  [ metric METRIC ] [ realms [SRC/]DST ] [ cloned ]
       ip route { save | showdump | restore }
       ip route get [ fibmatch ] ADDRESS [ from ADDRESS iif DEV ] [ oif DEV ] [ tos TOS ] [ mark MARK ] [ vrf NAME ] [ uid NUMBER ]
                  [ ipproto PROTOCOL ] [ sport NUMBER ] [ dport NUMBER ] [ as [ to ] ADDRESS ] [ notify ] [ connected ]
       ip route { add | del | change | append | prepend | replace | test } [ TYPE ] PREFIX [ table TABLE ]
                  [ vrf NAME ] [ protocol PROTO ]
                  [ scope SCOPE ] [ metric METRIC ] [ tos TOS ]
                  [ ttl-propagate { enabled | disabled } ] { NH | nhid ID | nexthop NH ... }
                  [ src ADDR ] [ expires SECONDS ] [ pref { low | medium | high } ] [ OPTIONS ]
TYPE := { unicast | local | broadcast | multicast | anycast | throw | unreachable | prohibit | blackhole | nat }
NH := [ encap ENCAP ] [ via [ FAMILY ] ADDRESS ] [ dev DEV ] [ as [ to ] ADDRESS ] [ weight NUMBER ] [ onlink ]
      [ pervasive ] [ realms REALM ]
OPTIONS := [ mtu [lock] N ] [ advmss N ] [ rtt TIME ] [ rttvar TIME ] [ reordering N ] [ window N ] [ cwnd N ] [ initcwnd N ]
           [ initrwnd N ] [ ssthresh N ] [ rto_min TIME ] [ hoplimit N ] [ quickack BOOL ]
           [ congctl [lock] NAME ] [ features ecn ]
           [ fastopen_no_cookie BOOL ] [ realms [SRC/]DST ]
ENCAP := { mpls LABELS [ ttl TTL ] | ip IPARGS | ip6 IPARGS |
           seg6 mode { encap | encap.red | inline | l2encap | l2encap.red } segs ADDR,... [ hmac ID ] |
           seg6local action NAME [ table T | vrftable T | nh4 A | nh6 A | iif D | oif D | srh segs ... ] [ count ]
                     [ flavors { psp | usp | usd | next-csid } [ lblen BITS ] [ nflen BITS ] ] }
IPARGS := { id ID | src ADDR | dst ADDR | tos TOS | tc TC | ttl TTL | hoplimit N | key | csum | seq }`
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
