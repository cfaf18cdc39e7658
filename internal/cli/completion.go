package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) completion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	c := &cobra.Command{
		Use:     "completion bash|zsh|fish",
		GroupID: groupOther,
		Short:   "Print a script that completes commands and live names",
		Long: `Print a script for a shell that completes commands, flags, and the names of labs, nodes and services as they are at that
moment.

Exit status: 0, 2 wrong usage.`,
		Example: `  source <(warren completion bash)
  warren completion zsh > "${fpath[1]}/_warren"
  warren completion fish > ~/.config/fish/completions/warren.fish`,
		Args:      arguments(1, 1),
		ValidArgs: shells,
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(a.Out, true)
			case "zsh":
				return c.Root().GenZshCompletion(a.Out)
			case "fish":
				return c.Root().GenFishCompletion(a.Out, true)
			}
			return usagef(c, "completion: unknown shell %q (bash, zsh or fish)", args[0])
		},
	}
	return c
}

type completer = cobra.CompletionFunc

const noFiles = cobra.ShellCompDirectiveNoFileComp

func (a *app) completeFlag(c *cobra.Command, flag string, f completer) {
	_ = c.RegisterFlagCompletionFunc(flag, f) // fails only for a flag that is not there
}

func (a *app) completeFiles(c *cobra.Command) { a.completeFlag(c, "file", labFiles) }

func labFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func fixed(words ...string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return words, noFiles }
}

// completeLabs offers the labs that are there. An error offers nothing: the command itself will say it.
func (a *app) completeLabs(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	w, err := a.open()
	if err != nil {
		return nil, noFiles
	}
	defer w.Close()
	labs, err := w.Labs(c.Context())
	if err != nil {
		return nil, noFiles
	}
	var names []string
	for _, l := range labs {
		names = append(names, l.Name)
	}
	return names, noFiles
}

// completeLabArg offers labs for the first argument, and files when it looks like one.
func (a *app) completeLabArg(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	if isFile(word) {
		return labFiles(c, args, word)
	}
	return a.completeLabs(c, args, word)
}

// completeNodes offers the nodes for the first argument of exec and shell: short while they are unique, with the lab's
// name otherwise. After that a command follows, for which files are the best guess.
func (a *app) completeNodes(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	lab, _ := c.Flags().GetString("lab")
	list := a.namespaces(c)
	times := map[string]int{}
	for _, n := range list {
		times[n.Node]++
	}
	var names []string
	for _, n := range list {
		switch {
		case lab != "" && n.Lab != lab:
		case lab != "":
			names = append(names, n.Node)
		case n.Lab == "" || times[n.Node] > 1 || strings.Contains(word, "."):
			names = append(names, n.Name)
		default:
			names = append(names, n.Node)
		}
	}
	return names, noFiles
}

// completeServices offers NODE and NODE.SERVICE of the lab.
func (a *app) completeServices(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	w, err := a.open()
	if err != nil {
		return nil, noFiles
	}
	defer w.Close()
	var sel selection
	sel.lab, _ = c.Flags().GetString("lab")
	sel.file, _ = c.Flags().GetString("file")
	name, err := sel.name(c.Context(), w)
	if err != nil {
		return nil, noFiles
	}
	st, err := w.Status(c.Context(), name)
	if err != nil {
		return nil, noFiles
	}
	var names []string
	for _, s := range st.Services {
		names = append(names, s.Node, s.Node+"."+s.Name)
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(n string) bool { return slices.Contains(args, n) })
	return names, noFiles
}

func (a *app) namespaces(c *cobra.Command) []warren.NamespaceInfo {
	w, err := a.open()
	if err != nil {
		return nil
	}
	defer w.Close()
	list, err := w.List(c.Context())
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(list, func(n warren.NamespaceInfo) bool { return n.State == "stale" })
}
