package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A versionInfo is what version --json prints.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from a tree with uncommitted changes
	Go       string `json:"go"`
	Arch     string `json:"arch"`
}

func (a *app) version() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		GroupID: groupOther,
		Short:   "Print the version",
		Long: `Print the version, the revision that it was built from and the Go version. Needs no privileges.

Exit status: 0, 2 wrong usage.`,
		Example: `  warren version
  warren version --json`,
		Args: arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			if asJSON {
				return a.printJSON(v)
			}
			line := "warren " + v.Version
			if v.Revision != "" {
				line += " (" + v.Revision
				if v.Modified {
					line += ", modified"
				}
				line += ")"
			}
			_, err := fmt.Fprintf(a.Out, "%s %s %s\n", line, v.Go, v.Arch)
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return c
}

// buildVersion is the version of a release, put here by the linker; "" in any other build.
var buildVersion string

func readVersion() versionInfo {
	v := versionInfo{Version: "devel", Go: runtime.Version(), Arch: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if m := info.Main.Version; m != "" && m != "(devel)" {
		v.Version = m
	}
	if buildVersion != "" {
		v.Version = buildVersion
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}
