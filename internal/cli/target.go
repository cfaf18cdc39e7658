package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"warren"
)

// A selection is how a command is told which lab it is about: LAB or FILE as its argument, --lab, --file, else the lab of
// ./warren.yaml, else the only one there is.
type selection struct {
	lab, file string
}

func (a *app) selectFlags(c *cobra.Command, s *selection) {
	c.Flags().StringVarP(&s.lab, "lab", "l", "", "the lab's name")
	c.Flags().StringVarP(&s.file, "file", "f", "", `the lab file ("-" = standard input)`)
	c.MarkFlagsMutuallyExclusive("lab", "file")
	a.completeFlag(c, "lab", a.completeLabs)
	a.completeFiles(c)
}

// take reads the argument LAB|FILE. A name with a dot or a slash is a file's: a lab's has neither.
func (s *selection) take(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if s.lab != "" || s.file != "" {
		return usagef(c, "%s: name the lab once: %q and --lab or --file", c.Name(), args[0])
	}
	if isFile(args[0]) {
		s.file = args[0]
	} else {
		s.lab = args[0]
	}
	return nil
}

func isFile(arg string) bool { return arg == "-" || strings.ContainsAny(arg, "./") }

// name finds the lab's name.
func (s *selection) name(ctx context.Context, w *warren.Warren) (string, error) {
	if s.lab != "" {
		return s.lab, nil
	}
	if s.file != "" || hasDefaultFile() {
		lab, err := warren.Load(s.file)
		if err != nil {
			return "", err
		}
		return lab.Name, nil
	}
	labs, err := w.Labs(ctx)
	if err != nil {
		return "", err
	}
	switch len(labs) {
	case 0:
		return "", fmt.Errorf("no lab is up, and there is no %s here (hint: name a lab file)", warren.DefaultFile)
	case 1:
		return labs[0].Name, nil
	}
	var names []string
	for _, l := range labs {
		names = append(names, l.Name)
	}
	return "", fmt.Errorf("several labs are up: %s (hint: name one)", strings.Join(names, ", "))
}

func hasDefaultFile() bool {
	_, err := os.Lstat(warren.DefaultFile)
	return !errors.Is(err, fs.ErrNotExist)
}

// filename is the lab file that a command which needs one reads.
func filename(c *cobra.Command, flag string, args []string) (string, error) {
	if len(args) == 0 {
		return flag, nil
	}
	if flag != "" {
		return "", usagef(c, "%s: name the file once: %q and --file %q", c.Name(), args[0], flag)
	}
	return args[0], nil
}
