package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warren"
	"warren/draw"
	"warren/state"
)

func (a *app) ls() *cobra.Command {
	var lab string
	var all, asJSON bool
	var src source
	c := &cobra.Command{
		Use:     "ls",
		GroupID: groupSeeing,
		Short:   "List namespaces: those with a name, or all of the host",
		Long: `List the namespaces below /run/netns, those of labs and those of others: owner, state, how many processes live in them, how
long they have had their names, addresses. A name that holds no namespace is shown as stale.

With --all every namespace of the host, named or not, as a tree by owner: labs, containers, pods, systemd's units, "ip netns",
single processes, and those that nothing visible keeps alive.

Exit status: 0, also when there is none; 1 an error, 2 wrong usage.`,
		Example: `  warren ls                        those with a name
  warren ls -a                     all of the host
  warren ls --lab shop             those of a lab
  warren ls -a --snapshot h.json   of a host that was saved
  warren ls --json                 for a program`,
		Args: arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			list, now, unread, err := a.listing(c.Context(), src, all)
			if err != nil {
				return err
			}
			kept := list[:0]
			for _, n := range list {
				if lab == "" || n.Lab == lab {
					kept = append(kept, n)
				}
			}
			switch {
			case asJSON:
				return errors.Join(a.printJSON(kept), unread)
			case all:
				a.printTree(kept, now)
			default:
				a.printList(kept, now)
			}
			return unread
		},
	}
	c.Flags().StringVarP(&lab, "lab", "l", "", "only the nodes of this lab")
	c.Flags().BoolVarP(&all, "all", "a", false, "every namespace of the host, as a tree by owner")
	c.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON")
	a.sourceFlag(c, &src)
	a.completeFlag(c, "lab", a.completeLabs)
	return c
}

// listing reads the lines, and the time that ages are counted from. unread is an error that does not make them worthless.
func (a *app) listing(ctx context.Context, src source, all bool) (list []warren.NamespaceInfo, now time.Time, unread, err error) {
	if src.given() || all {
		s, err := a.observe(ctx, src, state.Query{
			Everywhere: true,
			Parts:      state.PartLinks | state.PartAddrs | state.PartProcesses | state.PartHolders | state.PartOwner,
		})
		if err != nil {
			return nil, now, nil, err
		}
		a.noteUnread(s, src)
		return warren.Listing(s, all), s.Time, nil, nil
	}
	err = a.with(ctx, func(ctx context.Context, w *warren.Warren) error {
		list, unread = w.List(ctx)
		if list == nil && unread != nil {
			return unread
		}
		return nil
	})
	if err != nil {
		unread = nil
	}
	return list, time.Now(), unread, err
}

// noteUnread says how much is missing; the snapshot itself says what.
func (a *app) noteUnread(s state.Snapshot, src source) {
	if n := len(s.Unread); n > 0 && !src.given() {
		a.note("%d things could not be read, the first: %s of %s: %s", n, s.Unread[0].Object, orHost(s.Unread[0].NS), s.Unread[0].Reason)
	}
}

func orHost(ns string) string {
	if ns == "" {
		return "the host"
	}
	return ns
}

func age(now, then time.Time) string {
	if then.IsZero() || now.IsZero() {
		return "-"
	}
	return draw.Age(now.Sub(then))
}

func (a *app) printList(list []warren.NamespaceInfo, now time.Time) {
	t := table{head: []string{"NAMESPACE", "OWNER", "STATE", "PROCESSES", "AGE", "ADDRESSES"}}
	for _, n := range list {
		t.add(n.Name, n.Owner, n.State, strconv.Itoa(n.Processes), age(now, n.Created), dash(strings.Join(n.Addrs, ", ")))
	}
	a.writeTable(&t)
}

// writeTable writes a table in one piece: a system call for each of a thousand lines would take longer than reading them.
func (a *app) writeTable(t *table) {
	var b bytes.Buffer
	t.write(&b, a.style(a.Out))
	_, _ = a.Out.Write(b.Bytes()) // like every other output: who does not listen misses it
}

// printTree writes the owners, and their namespaces below them.
func (a *app) printTree(list []warren.NamespaceInfo, now time.Time) {
	s := a.style(a.Out)
	var b strings.Builder
	mid, last := "├─ ", "└─ "
	if ascii() {
		mid, last = "|- ", "`- "
	}
	for i := 0; i < len(list); {
		k := i
		for k < len(list) && sameGroup(list[k], list[i]) {
			k++
		}
		fmt.Fprintf(&b, "%s\n", s.bold(group(list[i])))
		t := table{head: []string{"", "", "", "", ""}}
		for j, n := range list[i:k] {
			branch := mid
			if j == k-i-1 {
				branch = last
			}
			t.add(branch+n.Name, "made "+age(now, n.Created)+" ago", lives(n), strings.Join(n.Addrs, ", "), "")
		}
		var rows bytes.Buffer
		t.write(&rows, false)
		for line := range strings.Lines(rows.String()) {
			if strings.TrimSpace(line) != "" {
				b.WriteString(strings.ReplaceAll(line, "made - ago", "          "))
			}
		}
		i = k
	}
	_, _ = a.Out.Write([]byte(b.String()))
}

// sameGroup: a container or a process stands for itself, below the heading of its kind.
func sameGroup(x, y warren.NamespaceInfo) bool {
	return x.Kind == y.Kind && (x.Kind != "lab" || x.Who == y.Who)
}

func group(n warren.NamespaceInfo) string {
	switch n.Kind {
	case "host":
		return "this namespace (host)"
	case "init":
		return "process 1"
	case "lab":
		return "lab " + n.Who
	case "ip-netns":
		return "ip netns"
	case "process":
		return "processes"
	case "systemd":
		return "systemd units"
	case "hidden":
		return "nothing visible"
	case "":
		return "others"
	}
	return n.Kind
}

// lives says who is in a namespace.
func lives(n warren.NamespaceInfo) string {
	var parts []string
	if n.Who != "" && n.Kind != "lab" && n.Kind != "ip-netns" && n.Kind != "process" {
		parts = append(parts, n.Who)
	}
	switch {
	case n.Processes == 1:
		parts = append(parts, fmt.Sprintf("%d %s", n.PID, short(n.Command, 40)))
	case n.Processes > 1:
		parts = append(parts, fmt.Sprintf("%d %s and %d more", n.PID, short(n.Command, 40), n.Processes-1))
	case n.Held != "":
		parts = append(parts, "held by "+short(n.Held, 60))
	}
	if guests := slices.DeleteFunc(slices.Clone(n.Containers), func(c string) bool { return c == n.Who }); len(guests) == 1 {
		parts = append(parts, "container "+guests[0])
	} else if len(guests) > 1 {
		parts = append(parts, "containers "+short(strings.Join(guests, " "), 60))
	}
	return strings.Join(parts, ", ")
}

// short cuts a text at so many characters.
func short(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
