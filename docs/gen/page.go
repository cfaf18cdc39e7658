package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// pages are the manual pages by file name. Commands are in section 1, texts without a command in section 7.
func pages(root *cobra.Command) map[string]string {
	out := map[string]string{}
	for _, c := range all(root) {
		out[fileName(c)] = page(c)
	}
	return out
}

// all lists a command and all below it that are for people, in their order.
func all(c *cobra.Command) []*cobra.Command {
	if c.Hidden || c.Name() == "help" {
		return nil
	}
	list := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		list = append(list, all(sub)...)
	}
	return list
}

func isTopic(c *cobra.Command) bool { return !c.Runnable() && !c.HasSubCommands() }

func section(c *cobra.Command) string {
	if isTopic(c) {
		return "7"
	}
	return "1"
}

func title(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

func fileName(c *cobra.Command) string { return title(c) + "." + section(c) }

func page(c *cobra.Command) string {
	p := &writer{}
	p.line(`.\" Written by docs/gen from the help text of the command: change that.`)
	p.linef(".TH %s %s", strings.ToUpper(title(c)), section(c))
	p.heading("NAME")
	p.line(escape(title(c)) + ` \- ` + escape(lowerFirst(c.Short)))
	if !isTopic(c) {
		p.heading("SYNOPSIS")
		p.line(".nf")
		p.line(`.B ` + escape(synopsis(c)))
		p.line(".fi")
	}
	p.heading("DESCRIPTION")
	p.text(c.Long)
	if c.HasAvailableSubCommands() {
		p.commands(c)
	}
	p.flags("OPTIONS", c.NonInheritedFlags())
	p.flags("OPTIONS OF EVERY COMMAND", c.InheritedFlags())
	if c.Example != "" {
		p.heading("EXAMPLES")
		p.verbatim(strings.Split(c.Example, "\n"))
	}
	p.seeAlso(c)
	return p.String()
}

func synopsis(c *cobra.Command) string {
	if c.HasSubCommands() {
		return c.CommandPath() + " COMMAND [ARGUMENT...]"
	}
	use := strings.TrimSuffix(c.UseLine(), " [flags]")
	any := false
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) { any = any || !f.Hidden && f.Name != "help" })
	if any && !c.DisableFlagsInUseLine {
		use += " [OPTION...]"
	}
	return use
}

// A writer writes roff.
type writer struct{ strings.Builder }

func (p *writer) line(s string) { p.WriteString(s + "\n") }

func (p *writer) linef(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

func (p *writer) heading(s string) { p.line(".SH " + s) }

// text writes paragraphs. Lines that begin with two spaces, and a word that stands alone above such lines, are kept as
// they are.
func (p *writer) text(s string) {
	for i, block := range strings.Split(strings.TrimSpace(s), "\n\n") {
		lines := strings.Split(block, "\n")
		if i > 0 {
			p.line(".PP")
		}
		rest := lines
		for len(rest) > 0 && !strings.HasPrefix(rest[0], "  ") && !(len(rest) > 1 && strings.HasPrefix(rest[1], "  ")) {
			p.line(escape(rest[0]))
			rest = rest[1:]
		}
		if len(rest) > 0 {
			p.verbatim(rest)
		}
	}
}

func (p *writer) verbatim(lines []string) {
	p.line(".nf")
	for _, l := range lines {
		p.line(escape(l))
	}
	p.line(".fi")
}

func (p *writer) commands(c *cobra.Command) {
	p.heading("COMMANDS")
	if len(c.Groups()) == 0 {
		for _, sub := range c.Commands() {
			p.command(sub)
		}
		return
	}
	for _, g := range c.Groups() {
		p.line(".SS " + strings.TrimSuffix(g.Title, ":"))
		for _, sub := range c.Commands() {
			if sub.GroupID == g.ID && sub.Name() != "help" {
				p.command(sub)
			}
		}
	}
	p.line(".SS More")
	for _, sub := range c.Commands() {
		if isTopic(sub) && sub.Name() != "help" {
			p.command(sub)
		}
	}
}

// command is a line of a list of commands.
func (p *writer) command(c *cobra.Command) {
	if c.Hidden {
		return
	}
	p.line(".TP")
	p.linef(".BR %s (%s)", escape(title(c)), section(c))
	p.line(escape(c.Short))
}

func (p *writer) flags(heading string, set *pflag.FlagSet) {
	any := false
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if !any {
			p.heading(heading)
			any = true
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind != "" {
			name += " " + strings.ToUpper(kind)
		}
		p.line(".TP")
		p.line(".B " + escape(name))
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		p.line(escape(usage))
	})
}

func (p *writer) seeAlso(c *cobra.Command) {
	var list []string
	for up := c.Parent(); up != nil; up = up.Parent() {
		list = append(list, `.BR `+escape(title(up))+` (1)`)
	}
	for _, name := range []string{"ip-netns(8)", "network_namespaces(7)", "veth(4)"} {
		page, sect, _ := strings.Cut(strings.TrimSuffix(name, ")"), "(")
		list = append(list, ".BR "+escape(page)+" ("+sect+")")
	}
	p.heading("SEE ALSO")
	p.line(strings.Join(list, " ,\n"))
}

// escape makes text safe for roff: backslashes, minus signs that somebody may want to copy, and a dot or quote that would
// begin a request.
func escape(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	s = strings.ReplaceAll(s, "-", `\-`)
	s = strings.ReplaceAll(s, "'", `\(aq`)
	s = strings.ReplaceAll(s, "`", `\(ga`)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
