package cli

import (
	"github.com/spf13/cobra"

	"warren"
	"warren/state"
)

func (a *app) find() *cobra.Command {
	var asJSON bool
	var src source
	c := &cobra.Command{
		Use:     "find WHAT",
		GroupID: groupSeeing,
		Short:   "Find the namespace that has an address, interface, process, port or container",
		Long: `Find the namespaces of the host that have WHAT, and say what matched:

  ADDRESS     an address of an interface; when nobody has it, the subnets that it would be in, and neighbours
  MAC         of an interface
  NAME        of an interface (also alternative names and aliases), a namespace, a node, a container, a pod
  NUMBER      a process (also as it is called inside), a port that somebody listens on, a cookie, an inode
  PORT/PROTO  a port of one protocol: 53/udp
  ID          of a container or pod, or its first characters

"pid:", "port:", "cookie:", "inode:", "container:" or "interface:" before WHAT look for that alone.
Exit status: 0 found, 1 nothing has it, or an error, 2 wrong usage.`,
		Example: `  warren find 10.0.0.7
  warren find 02:42:ac:11:00:02
  warren find port:8080
  warren find 4711
  warren find container:4f2a`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := a.observe(c.Context(), src, state.Query{
				Everywhere: true,
				Parts: state.PartLinks | state.PartAddrs | state.PartProcesses | state.PartHolders | state.PartOwner | state.PartSockets |
					state.PartNeighbors | state.PartAllNeighbors,
			})
			if err != nil {
				return err
			}
			found := warren.Find(s, args[0])
			if asJSON {
				err = a.printJSON(nonNil(found))
			} else {
				t := table{head: []string{"NAMESPACE", "OWNER", "MATCHED"}}
				for _, m := range found {
					t.add(m.NS, dash(m.Owner), m.Kind+": "+m.Text)
				}
				a.writeTable(&t)
			}
			if err == nil && len(found) == 0 {
				if !asJSON {
					a.note("no namespace has %q", args[0])
				}
				a.noteUnread(s, src)
				err = exit{1}
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print what matched as JSON")
	a.sourceFlag(c, &src)
	c.ValidArgsFunction = cobra.NoFileCompletions
	return c
}
