package iproute

const xfrmUsage = `Usage: ip xfrm { state | policy | monitor } { COMMAND | help }`

const xfrmMonitorUsage = `Usage: ip xfrm monitor [ acquire | expire | SA | policy | aevent | report | all ]... [ nokeys ] [ all-nsid ] [ file FILE ]`

// What names packets and states, for both databases.
const xfrmCommonUsage = `ID := [ src ADDRESS ] [ dst ADDRESS ] [ proto { esp | ah | comp | route2 | hao | ipsec-any } ] [ spi SPI ]
MODE := transport | tunnel | beet | ro | in_trigger
SELECTOR := [ src PREFIX ] [ dst PREFIX ] [ dev DEVICE ] [ proto PROTOCOL ] [ sport PORT ] [ dport PORT ] [ type TYPE ]
            [ code CODE ] [ key KEY ]
LIMIT := { byte | packet | time | time-use }{ -soft | -hard } NUMBER`

const xfrmStateUsage = `Usage: ip xfrm state { add | update } ID [ ALGORITHM ]... [ mode MODE ] [ reqid ID ] [ seq NUMBER ] [ mark MARK [ mask MASK ] ]
                     [ replay-window PACKETS ] [ replay-{ seq | oseq }[-hi] NUMBER ] [ flag FLAG... ] [ extra-flag FLAG... ]
                     [ sel SELECTOR ] [ limit LIMIT ]... [ encap { espinudp | espinudp-nonike | espintcp } SPORT DPORT ADDRESS ]
                     [ coa ADDRESS ] [ ctx LABEL ] [ offload [ dev DEVICE ] dir { in | out } ]
                     [ output-mark MARK [ mask MASK ] ] [ if_id ID ] [ tfcpad LENGTH ]
       ip xfrm state allocspi ID [ mode MODE ] [ reqid ID ] [ seq NUMBER ] [ mark MARK [ mask MASK ] ] [ min SPI max SPI ]
       ip xfrm state { get | delete } ID [ mark MARK [ mask MASK ] ]
       ip xfrm state { list | deleteall } [ ID ] [ mode MODE ] [ reqid ID ] [ flag FLAG... ] [ nokeys ]
       ip xfrm state flush [ proto PROTOCOL ]
       ip xfrm state count
ALGORITHM := { enc | auth } NAME KEY | auth-trunc NAME KEY BITS | aead NAME KEY BITS | comp NAME
FLAG := noecn | decap-dscp | nopmtudisc | wildrecv | icmp | af-unspec | align4 | esn; extra: dont-encap-dscp | oseq-may-wrap
` + xfrmCommonUsage

const xfrmPolicyUsage = `Usage: ip xfrm policy { add | update } dir DIRECTION SELECTOR [ TEMPLATE ]... [ action { allow | block } ] [ priority NUMBER ]
                      [ index INDEX ] [ ptype { main | sub } ] [ mark MARK [ mask MASK ] ] [ flag { localok | icmp }... ]
                      [ limit LIMIT ]... [ ctx LABEL ] [ if_id ID ]
       ip xfrm policy { get | delete } dir DIRECTION { SELECTOR | index INDEX } [ ptype TYPE ] [ mark MARK [ mask MASK ] ]
                      [ ctx LABEL ] [ if_id ID ]
       ip xfrm policy { list | deleteall } [ SELECTOR ] [ dir DIRECTION ] [ index INDEX ] [ ptype TYPE ] [ action ACTION ]
                      [ priority NUMBER ] [ flag FLAG... ] [ nosock ]
       ip xfrm policy flush [ ptype TYPE ]
       ip xfrm policy count
       ip xfrm policy set [ hthresh4 LOCAL REMOTE ] [ hthresh6 LOCAL REMOTE ]
       ip xfrm policy setdefault { DIRECTION { accept | block } }...
       ip xfrm policy getdefault
DIRECTION := in | out | fwd
TEMPLATE := tmpl ID [ mode MODE ] [ reqid ID ] [ level { required | use } ]
` + xfrmCommonUsage
