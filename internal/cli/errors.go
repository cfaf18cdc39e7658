package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// printError writes an error as "warren: ..." and its hints as "hint: ..." on lines of their own. An error that joins
// several has a line for each.
func (a *app) printError(err error) {
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		text, hint := cutHint(line)
		fmt.Fprintf(a.Err, "%s %s\n", a.style(a.Err).red("warren:"), text)
		if hint != "" {
			a.printHint(hint)
		}
	}
}

func (a *app) printHint(hint string) {
	fmt.Fprintf(a.Err, "hint: %s\n", hint)
}

// cutHint takes "(hint: ...)" off the end of an error's text, where the project's errors carry it.
func cutHint(line string) (text, hint string) {
	const mark = " (hint: "
	i := strings.LastIndex(line, mark)
	if i < 0 || !strings.HasSuffix(line, ")") {
		return line, ""
	}
	return line[:i], line[i+len(mark) : len(line)-1]
}

// note writes something worth knowing.
func (a *app) note(format string, args ...any) {
	a.endProgress()
	fmt.Fprintf(a.Err, "note: %s\n", fmt.Sprintf(format, args...))
}

func usagef(c *cobra.Command, format string, args ...any) error {
	return usageError{err: fmt.Errorf(format, args...), path: c.CommandPath()}
}

// arguments checks how many arguments there are; most < 0 means no limit.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least && least == 1:
			return usagef(c, "%s: an argument is missing: %s", c.Name(), c.UseLine())
		case len(args) < least:
			return usagef(c, "%s: arguments are missing: %s", c.Name(), c.UseLine())
		case most >= 0 && len(args) > most:
			return usagef(c, "%s: unexpected argument %q", c.Name(), args[most])
		}
		return nil
	}
}
