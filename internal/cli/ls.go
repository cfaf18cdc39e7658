package cli

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) ls() *cobra.Command {
	var lab string
	var asJSON bool
	c := &cobra.Command{
		Use:     "ls",
		GroupID: groupSeeing,
		Short:   "List the namespaces that have a name",
		Long: `List the namespaces below /run/netns, those of labs and those of others, with their addresses and how many processes
live in them. A name that holds no namespace is shown as stale.

Exit status: 0, also when there is none; 1 an error, 2 wrong usage.`,
		Example: `  warren ls             all of them
  warren ls --lab shop  those of a lab
  warren ls --json      for a program`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				all, unread := w.List(ctx)
				if all == nil {
					return unread
				}
				list := []warren.NamespaceInfo{}
				for _, n := range all {
					if lab == "" || n.Lab == lab {
						list = append(list, n)
					}
				}
				if asJSON {
					return errors.Join(a.printJSON(list), unread)
				}
				t := table{head: []string{"NAMESPACE", "OWNER", "STATE", "PROCESSES", "ADDRESSES"}}
				for _, n := range list {
					t.add(n.Name, n.Owner, n.State, strconv.Itoa(n.Processes), dash(strings.Join(n.Addrs, ", ")))
				}
				t.write(a.Out, a.style(a.Out))
				return unread
			})
		},
	}
	c.Flags().StringVarP(&lab, "lab", "l", "", "only the nodes of this lab")
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	a.completeFlag(c, "lab", a.completeLabs)
	return c
}
