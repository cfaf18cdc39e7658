package iproute

// What "help" says. Scripts look there for a word, to learn whether this ip knows an option: every option is named.
const (
	ipUsage = `Usage: ip [ OPTION ]... OBJECT [ VERB ARGUMENTS... ]
       ip [ OPTION ]... -batch FILE            one command in each line; -force goes on after one that failed
OBJECT  address addrlabel link maddress macsec monitor mptcp mroute mrule neighbor netconf netns nexthop ntable
        route rule sr stats tcp_metrics token tunnel tuntap vrf xfrm fou ila ioam l2tp
        "ip OBJECT help" says more
OPTION  -4  -6  -0  -B  -M  -family FAMILY     addresses of IPv4, IPv6, links, bridges, MPLS
        -netns NAME  -all                      in that namespace, in all
        -json  -pretty  -oneline  -brief       how it is printed
        -details  -statistics  -timestamp  -tshort  -Numeric  -resolve  -color[=WHEN]
        -human-readable  -iec                  numbers with a unit
        -echo                                  print the change that was made
        -loops COUNT  -rcvbuf BYTES  -Version`
	bridgeUsage = `Usage: bridge [ OPTION ]... OBJECT [ VERB ARGUMENTS... ]
       bridge [ OPTION ]... -batch FILE        one command in each line; -force goes on after one that failed
OBJECT  fdb link mdb monitor vlan vni          "bridge OBJECT help" says more
OPTION  -netns NAME  -json  -pretty  -oneline  -details  -statistics  -timestamp  -color[=WHEN]
        -compressvlans  -family FAMILY  -Version`
	netnsUsage = `Usage: ip netns [ list ]
       ip netns add NAME
       ip netns attach NAME PID
       ip netns delete NAME
       ip netns exec NAME COMMAND...
       ip -all netns { delete | exec COMMAND... }
       ip netns identify [ PID ]
       ip netns pids NAME
       ip netns set NAME { ID | auto }
       ip netns list-id [ nsid ID ] [ target-nsid ID ]
       ip netns monitor`
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
       ip neigh get [ proxy ] ADDR dev DEV
STATE := { delay | failed | incomplete | noarp | none | permanent | probe | reachable | stale | all }`
	ruleUsage = `Usage: ip rule [ show ] [ SELECTOR ]
       ip rule add SELECTOR ACTION
       ip rule del SELECTOR ACTION
       ip rule { flush | save | restore } [ protocol PROTO ]
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
	nexthopUsage = `Usage: ip nexthop [ list | flush ] [ id ID ] [ dev LINK ] [ vrf NAME ] [ master LINK ] [ protocol PROTO ] [ groups ] [ fdb ]
       ip nexthop { get | del } id ID
       ip nexthop { add | replace } id ID WHERE [ protocol PROTO ]
       ip nexthop bucket [ list ] [ nhid ID ] [ id ID ] [ dev LINK ] [ vrf NAME ] [ master LINK ]
       ip nexthop bucket get id ID index NUMBER
WHERE := blackhole | [ via ADDRESS ] [ dev LINK ] [ onlink ] [ encap KIND ... ] [ fdb ]
         | group ID[,WEIGHT][/ID[,WEIGHT]]... [ fdb ] [ type mpath ]
         | group ... type resilient [ buckets NUMBER ] [ idle_timer SECONDS ] [ unbalanced_timer SECONDS ]`
	monitorUsage = `Usage: ip monitor [ OBJECT... | all ] [ label ] [ all-nsid ] [ dev LINK ] [ file FILE ]
OBJECT := link | address | route | rule | neigh | nexthop | netconf | nsid | prefix | mroute | stats`
	maddrUsage = `Usage: ip maddr [ show ] [ [ dev ] LINK ]
       ip maddr { add | del } LLADDR dev LINK`
	mrouteUsage  = `Usage: ip mroute show [ [ to ] PREFIX ] [ from PREFIX ] [ iif DEVICE ] [ table TABLE_ID ]`
	netconfUsage = `Usage: ip netconf [ show [ dev LINK ] ]`
	tokenUsage   = `Usage: ip token [ list ] [ dev LINK ]
       ip token { get | del } dev LINK
       ip token set ADDRESS dev LINK`
	ntableUsage = `Usage: ip ntable change name NAME [ dev DEV ] [ thresh1 VAL ] [ thresh2 VAL ] [ thresh3 VAL ] [ gc_int MSEC ] [ PARMS ]
       ip ntable show [ dev DEV ] [ name NAME ]`
	addrlabelUsage = `Usage: ip addrlabel [ list ]
       ip addrlabel add prefix PREFIX label NUMBER [ dev LINK ]
       ip addrlabel del prefix PREFIX [ label NUMBER ] [ dev LINK ]
       ip addrlabel flush`
)
