package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reference is the reference by file name, in Markdown: a page for each command and each topic, and one that lists them.
func reference(root *cobra.Command) map[string]string {
	out := map[string]string{"README.md": index(root)}
	for _, c := range all(root)[1:] {
		out[title(c)+".md"] = article(c)
	}
	return out
}

const written = "<!-- Written by docs/gen from the help texts of the commands: change those. -->\n\n"

// index is the list of all pages.
func index(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(written + "# Reference\n\n")
	b.WriteString(paragraphs(root.Long))
	for _, g := range root.Groups() {
		fmt.Fprintf(&b, "## %s\n\n", strings.TrimSuffix(g.Title, ":"))
		for _, c := range all(root)[1:] {
			if groupOf(c) == g.ID && !isTopic(c) {
				b.WriteString(entry(c))
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("## More\n\n")
	for _, c := range root.Commands() {
		if isTopic(c) && !c.Hidden && c.Name() != "help" {
			b.WriteString(entry(c))
		}
	}
	b.WriteString("\n## Options of every command\n\n" + options(root.PersistentFlags()))
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// groupOf is the group of a command, or of the one that it belongs to.
func groupOf(c *cobra.Command) string {
	for c.GroupID == "" && c.HasParent() {
		c = c.Parent()
	}
	return c.GroupID
}

func entry(c *cobra.Command) string {
	name := c.CommandPath()
	if isTopic(c) {
		name = c.Name()
	}
	return fmt.Sprintf("- [%s](%s.md): %s\n", name, title(c), plain(lowerFirst(c.Short)))
}

// article is one page.
func article(c *cobra.Command) string {
	var b strings.Builder
	b.WriteString(written)
	if isTopic(c) {
		fmt.Fprintf(&b, "# %s\n\n", plain(c.Short))
	} else {
		fmt.Fprintf(&b, "# %s\n\n%s.\n\n", c.CommandPath(), plain(c.Short))
		b.WriteString(block("", []string{synopsis(c)}))
	}
	b.WriteString(paragraphs(c.Long))
	if c.HasAvailableSubCommands() {
		b.WriteString("## Commands\n\n")
		for _, sub := range all(c)[1:] {
			b.WriteString(entry(sub))
		}
		b.WriteString("\n")
	}
	if o := options(c.NonInheritedFlags()); o != "" {
		b.WriteString("## Options\n\n" + o + "\n")
	}
	if c.Example != "" {
		b.WriteString("## Examples\n\n" + block("sh", strings.Split(c.Example, "\n")))
	}
	b.WriteString("[All commands](README.md)\n")
	return b.String()
}

// paragraphs writes text as the manual pages do: lines that begin with two spaces, and a word that stands alone above such
// lines, are kept as they are.
func paragraphs(s string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimSpace(s), "\n\n") {
		rest := strings.Split(part, "\n")
		for len(rest) > 0 && !strings.HasPrefix(rest[0], "  ") && !(len(rest) > 1 && strings.HasPrefix(rest[1], "  ")) {
			b.WriteString(plain(rest[0]) + "\n")
			rest = rest[1:]
		}
		if len(rest) < len(strings.Split(part, "\n")) {
			b.WriteString("\n")
		}
		if len(rest) > 0 {
			b.WriteString(block("", rest))
		}
	}
	return b.String()
}

// block is text that is kept as it is, with the indentation that all its lines share taken off.
func block(language string, lines []string) string {
	indent := -1
	for _, l := range lines {
		if n := len(l) - len(strings.TrimLeft(l, " ")); strings.TrimSpace(l) != "" && (indent < 0 || n < indent) {
			indent = n
		}
	}
	var b strings.Builder
	b.WriteString("```" + language + "\n")
	for _, l := range lines {
		b.WriteString(l[min(len(l), max(indent, 0)):] + "\n")
	}
	b.WriteString("```\n\n")
	return b.String()
}

// options is the table of a command's flags; "" when it has none.
func options(set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if kind != "" {
			name += " " + strings.ToUpper(kind)
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		if b.Len() == 0 {
			b.WriteString("| option | meaning |\n| --- | --- |\n")
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.ReplaceAll(plain(usage), "|", `\|`))
	})
	return b.String()
}

// plain keeps Markdown from reading words as marks.
func plain(s string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`, "]", `\]`).Replace(s)
}
