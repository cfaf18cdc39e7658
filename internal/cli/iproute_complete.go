package cli

import (
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"warren/internal/iproute"
	"warren/netns"
)

// completeGrammar offers the verbs of an object, and the live names of namespaces and links where the grammar wants one.
func (a *app) completeGrammar(object string) completer {
	return func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		space, words := grammarSpace(args)
		switch {
		case space == "" && len(args) > 0 && isNetnsOption(args[len(args)-1]):
			return a.namespaceNames(c), noFiles
		case len(words) == 0:
			return iproute.Verbs(object), noFiles
		}
		last := words[len(words)-1]
		verb := words[0]
		switch {
		case object == "netns" && verb == "exec" && len(words) > 1:
			return nil, cobra.ShellCompDirectiveDefault
		case object == "netns" && len(words) == 1 && slices.Contains([]string{"delete", "del", "set", "pids", "exec"}, verb):
			return a.namespaceNames(c), noFiles
		case last == "netns" || last == "link-netns":
			return a.namespaceNames(c), noFiles
		case last == "dev" || last == "master" || last == "oif" || last == "iif":
			return linkNames(c, space), noFiles
		case object == "link" && len(words) == 1 && slices.Contains([]string{"show", "set", "del", "delete"}, verb):
			return append([]string{"dev"}, linkNames(c, space)...), noFiles
		case object == "link" && last == "type":
			return []string{"veth", "bridge", "dummy", "macvlan", "ipvlan", "vlan", "vxlan", "ifb", "wireguard", "vrf"}, noFiles
		case object == "bridge" && len(words) == 1:
			return []string{"show", "add", "del", "set"}, noFiles
		}
		if word == "" || strings.HasPrefix("dev", word) {
			return []string{"dev"}, noFiles
		}
		return nil, noFiles
	}
}

// grammarSpace takes the options in front of the object away and returns the namespace that they name.
func grammarSpace(args []string) (space string, words []string) {
	for i := 0; i < len(args); i++ {
		value, ok := iproute.TakesValue(args[i])
		if !strings.HasPrefix(args[i], "-") || !ok {
			return space, args[i:]
		}
		if !value {
			continue
		}
		if i++; i < len(args) && isNetnsOption(args[i-1]) {
			space = args[i]
		}
	}
	return space, nil
}

func isNetnsOption(word string) bool {
	name := strings.TrimPrefix(word, "-")
	return name != word && strings.HasPrefix("netns", strings.TrimPrefix(name, "-")) && strings.TrimPrefix(name, "-") != ""
}

// completeSS offers options, and where one wants it a namespace.
func (a *app) completeSS(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		switch args[len(args)-1] {
		case "-N", "--net":
			return a.namespaceNames(c), noFiles
		case "state", "exclude":
			return []string{
				"established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack",
				"listening", "closing", "all", "connected", "synchronized", "bucket", "big",
			}, noFiles
		case "dev":
			return linkNames(c, ""), noFiles
		case "-f", "--family":
			return []string{"inet", "inet6", "link", "unix", "netlink", "vsock"}, noFiles
		}
	}
	if strings.HasPrefix(word, "-") {
		return []string{
			"--all", "--listening", "--tcp", "--udp", "--unix", "--raw", "--packet", "--numeric", "--processes", "--extended", "--info",
			"--memory", "--options", "--summary", "--net", "--all-netns", "--json", "--no-header", "--oneline", "--family", "--query",
		}, noFiles
	}
	return []string{"state", "exclude", "sport", "dport", "src", "dst", "dev", "fwmark"}, noFiles
}

// namespaceNames are the names below /run/netns.
func (a *app) namespaceNames(c *cobra.Command) []string {
	var names []string
	for _, n := range a.namespaces(c) {
		names = append(names, n.Name)
	}
	return names
}

// linkNames are the links of a namespace, "" = the present one.
func linkNames(c *cobra.Command, space string) []string {
	if space == "" {
		space = "host"
	}
	h, err := netns.Open(c.Context(), space)
	if err != nil {
		return nil
	}
	defer h.Close()
	var names []string
	_ = h.Do(func() error {
		links, err := net.Interfaces() // by a socket of the thread's, which is inside
		for _, l := range links {
			names = append(names, l.Name)
		}
		return err
	})
	return names
}
