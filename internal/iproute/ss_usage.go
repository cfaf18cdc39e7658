package iproute

const (
	ssUsage = `Usage: ss [ OPTIONS ] [ FILTER ]
   -n, --numeric       numbers of ports, not names of services
   -r, --resolve       names of hosts
   -a, --all           all sockets
   -l, --listening     listening sockets
   -o, --options       timers
   -e, --extended      user, inode, cookie, mark, control group
   -m, --memory        memory of queues
   -p, --processes     who has the socket open; -T threads too
   -i, --info          what TCP tells of the connection
   -s, --summary       how many there are
       --tos, --cgroup, --inet-sockopt, -b, --bpf
   -K, --kill          end the sockets, and show those that were ended
   -E, --events        show sockets as they end, until interrupted
   -D, --diag=FILE     record TCP's sockets in a file, for the variable TCPDIAG_FILE
   -H, --no-header     no headings
   -O, --oneline       one line for each socket
   -N, --net NAME      in another network namespace
   -4, -6, -0          IPv4, IPv6, packet sockets
   -t, -u, -w, -x      TCP, UDP, raw, unix sockets; -M MPTCP, -S SCTP, -d DCCP, --vsock
   -f, --family=FAMILY inet, inet6, link, unix, netlink, vsock, tipc, xdp
   -A, --query=QUERY   tables, with commas between: all, inet, tcp, udp, raw, unix, unix_stream, packet, netlink, ...
   -F, --filter=FILE   read the filter from a file
   -V, --version       -h, --help

FILTER := [ state STATE | exclude STATE ] ... [ EXPRESSION ]
STATE  := all | connected | synchronized | bucket | big | established | syn-sent | syn-recv | fin-wait-1 | fin-wait-2 |
          time-wait | closed | close-wait | last-ack | listening | closing
EXPRESSION := dst HOST | src HOST | { dport | sport } { = | != | >= | <= | > | < } PORT | dev LINK | fwmark MARK[/MASK] |
          cgroup PATH | autobound | ! EXPRESSION | ( EXPRESSION ) | EXPRESSION { and | or } EXPRESSION
`
	ssUsageOwn = `
Under the name of warren also:
   -N REF              any form of a namespace: NAME, PATH, pid:N, id:N, container:ID, host
       --all-netns     the sockets of every namespace, named or not, with a column that names it
   -j, --json          as JSON
`
)
