package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"warren/internal/iproute"
	"warren/internal/rootless"
)

// grammarExit is the part of the objects' help on exit statuses.
const grammarExit = "Exit status: as iproute2's, 0; 1 it failed; 2 the kernel refused; 255 wrong usage, or a namespace that cannot be entered."

// grammarOptions is the part of the objects' help on what may stand in front.
const grammarOptions = `Options stand in front of the object, as with ip: "warren -n NS link show". -n takes any form of a namespace: a name, a path,
pid:N, id:N, cookie:N, container:ID or host. Others: -all, -batch FILE (each line may begin with -n NS of its own), -force,
-json, -pretty, -oneline, -brief, -details, -statistics, -4, -6.`

// An object of iproute2's grammar as a command.
type object struct {
	short   string
	example string
	aliases []string
}

func objects() map[string]object {
	return map[string]object{
		"netns": {
			"Name, list and enter network namespaces (as ip netns)", `  warren netns add red
  warren netns exec red ping -c 1 10.0.0.1
  warren -all netns exec ip -br addr
  warren -j netns pids red
  warren netns delete red --wait
  warren netns delete red --return`, nil,
		},
		"link": {
			"Show, make and change links (as ip link)", `  warren link add v0 type veth peer name eth0 netns red
  warren -n red link set eth0 up
  warren -n container:4f2a -d -j link show`, nil,
		},
		"addr": {
			"Show, add and remove addresses (as ip addr)", `  warren -n red addr add 10.0.0.2/24 dev eth0
  warren -n pid:4711 -br addr`, []string{"address"},
		},
		"route": {
			"Show, add and remove routes (as ip route)", `  warren -n red route add default via 10.0.0.1
  warren -n red route get 192.0.2.1`, nil,
		},
		"neigh": {
			"Show, add and remove neighbours (as ip neigh)", `  warren -n red neigh
  warren -n red neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev eth0`, []string{"neighbor", "neighbour"},
		},
		"rule": {
			"Show, add and remove rules of policy routing (as ip rule)", `  warren -n red rule add from 10.0.0.0/24 table 100
  warren -n red -j rule`, nil,
		},
		"bridge": {
			"Show and change bridge ports, FDB, MDB and VLANs (as bridge)", `  warren -n red bridge fdb show
  warren -n red bridge link set dev p1 cost 10`, nil,
		},
		"tuntap": {
			"Show, make and remove tun and tap links (as ip tuntap)", `  warren -n red tuntap add dev t0 mode tun user nobody
  warren -n red -j tuntap`, nil,
		},
		"nexthop": {
			"Show, add and remove next hop objects (as ip nexthop)", `  warren -n red nexthop add id 1 via 10.0.0.1 dev eth0
  warren -n red -j nexthop`, nil,
		},
		"monitor": {
			"Tell of changes to links, addresses, routes and so on (as ip monitor)", `  warren -n red monitor
  warren monitor link`, nil,
		},
		"maddress":  {"Show and change multicast addresses (as ip maddress)", `  warren -n red maddress show dev eth0`, []string{"maddr"}},
		"netconf":   {"Show how links are configured (as ip netconf)", `  warren -n red netconf show dev eth0`, nil},
		"addrlabel": {"Show and change labels for the choice of addresses (as ip addrlabel)", `  warren -n red addrlabel`, nil},
		"tunnel": {
			"Show, make and change tunnels (as ip tunnel)", `  warren -n red tunnel add t0 mode gre remote 192.0.2.1 local 192.0.2.2 ttl 64
  warren -n red -j tunnel
  warren -n red -6 tunnel show`, nil,
		},
		"xfrm": {
			"Show and change states and policies of IPsec (as ip xfrm)", `  warren -n red xfrm policy
  warren -n red xfrm state list nokeys
  warren -n red xfrm policy add dir out src 10.1.0.0/16 dst 10.2.0.0/16 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel
  warren -n red xfrm monitor nokeys`, nil,
		},
	}
}

// grammar makes the commands for the objects. Their words are not cobra's to read.
func (a *app) grammar() []*cobra.Command {
	known := objects()
	list := make([]*cobra.Command, 0, len(known)+1)
	for _, name := range iproute.Objects() {
		o := known[name]
		c := &cobra.Command{
			Use:     name + " [VERB [WORD...]]",
			Aliases: o.aliases,
			GroupID: groupGrammar,
			Short:   o.short,
			Long: "The words, the output and the exit status are iproute2's.\n\n" + iproute.Usage(name) + "\n\n" +
				grammarOptions + "\n\n" + grammarExit,
			Example:               o.example,
			DisableFlagParsing:    true,
			DisableFlagsInUseLine: true,
			RunE: func(c *cobra.Command, args []string) error {
				if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
					return c.Help()
				}
				return a.speak(append([]string{name}, args...))
			},
			ValidArgsFunction: a.completeGrammar(name),
		}
		list = append(list, c)
	}
	return append(list, a.ss())
}

func (a *app) ss() *cobra.Command {
	return &cobra.Command{
		Use:     "ss [OPTION...] [FILTER]",
		GroupID: groupSeeing,
		Short:   "List sockets in any namespace, or in all of them (as ss)",
		Long: `List sockets: the words and the output are iproute2's ss; -N, --net takes any form of a namespace, --all-netns shows the
sockets of every namespace, named or not, in a table with a column for it, and --json prints them as JSON. -n stays what it
is for ss: numbers instead of names of services.

` + iproute.Usage("ss") + `
Exit status: as ss's, 0; 1 a name, address or namespace that is not there; 255 wrong usage.`,
		Example: `  warren ss -tlnp -N red
  warren ss --all-netns -tln
  warren -n container:4f2a ss -tan state established
  warren ss --json -tnp '( dport = :443 or sport = :443 )'`,
		DisableFlagParsing:    true,
		DisableFlagsInUseLine: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return c.Help()
			}
			return status(iproute.MainSS(args, "", a.grammarIO(), iproute.Deps{}))
		},
		ValidArgsFunction: a.completeSS,
	}
}

// status is an exit status as an error; everything is said already.
func status(code int) error {
	if code == 0 {
		return nil
	}
	return exit{code}
}

func (a *app) grammarIO() iproute.Stdio { return iproute.Stdio{In: a.In, Out: a.Out, Err: a.Err} }

// speak runs a command of iproute2's grammar.
func (a *app) speak(args []string) error {
	return status(iproute.Main(args, iproute.Warren, a.grammarIO(), iproute.Deps{Final: true}))
}

// speaks reports whether args begin with an object of iproute2's grammar, or with an option of it, which none of ours is:
// "warren -n red link". The command tree, which takes a third of a millisecond to make, is for help and completion then.
func speaks(args []string) bool {
	if len(args) == 0 {
		return false
	}
	if len(args) == 1 || args[1] != "--help" && args[1] != "-h" {
		switch args[0] {
		case "netns", "link", "addr", "address", "route", "neigh", "neighbor", "neighbour", "rule", "bridge", "tuntap", "nexthop", "monitor",
			"maddress", "maddr", "netconf", "addrlabel", "tunnel", "xfrm", "ss":
			return true
		}
	}
	if len(args[0]) < 2 || args[0][0] != '-' {
		return false
	}
	word, _, _ := strings.Cut(args[0], "=")
	if slices.Contains([]string{"-h", "--help", "--run-dir", "--"}, word) {
		return false
	}
	_, ok := iproute.TakesValue(args[0])
	return ok
}

// speakFirst runs a command whose options stand in front of its object. It goes by the command tree, so it brings an ordinary
// user into the user's world itself.
func (a *app) speakFirst(args []string) error {
	if err := a.intoWorld(rootless.Make); err != nil {
		return err
	}
	return a.speak(args)
}

// intoWorld is what [app.enter] does for commands of the tree.
func (a *app) intoWorld(use rootless.Use) (err error) {
	a.world, err = rootless.Enter(append([]string{os.Args[0]}, a.args...), use, func(text string) { a.note("%s", text) })
	if err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}

// mainGrammar is [Main] for such commands.
func mainGrammar(args []string, stdio Stdio) int {
	a := &app{Stdio: stdio, args: args}
	code := a.finish(a.speakFirst(args))
	a.world.Leave()
	return code
}
