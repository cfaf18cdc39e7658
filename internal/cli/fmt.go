package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"warren"
	"warren/topo"
)

type formatOptions struct {
	expand, write, check, schema bool
}

func (a *app) fmt() *cobra.Command {
	var opt formatOptions
	c := &cobra.Command{
		Use:     "fmt [FILE...]",
		GroupID: groupLabs,
		Short:   "Print a lab file in its one normal form",
		Long: `Check a lab file and print it normalised, comments kept. With --expand every shorthand is written out and every default
filled in. With --schema print the JSON schema of lab files, for editors, and read no file.

Exit status: 0, 1 the file has errors (or, with --check, is not in normal form), 2 wrong usage.`,
		Example: `  warren fmt                 ./warren.yaml, normalised, to standard output
  warren fmt -w labs/*.yaml  rewrite files in place
  warren fmt --check         only say whether it is in normal form
  warren fmt --expand        with nothing left implied
  warren fmt --schema > warren.schema.json`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case opt.schema && (len(args) > 0 || opt.expand || opt.write || opt.check):
				return usagef(c, "fmt: --schema goes alone")
			case opt.write && opt.check:
				return usagef(c, "fmt: --write and --check")
			}
			if opt.schema {
				_, err := fmt.Fprintf(a.Out, "%s\n", bytes.TrimSpace(topo.Schema()))
				return err
			}
			if len(args) == 0 {
				args = []string{warren.DefaultFile}
			}
			var errs []error
			for _, path := range args {
				errs = append(errs, a.format(path, opt))
			}
			return errors.Join(errs...)
		},
	}
	c.Flags().BoolVar(&opt.expand, "expand", false, "write out every shorthand and every default")
	c.Flags().BoolVarP(&opt.write, "write", "w", false, "rewrite the files in place instead of printing")
	c.Flags().BoolVar(&opt.check, "check", false, "print the names of the files that are not in normal form, and exit 1")
	c.Flags().BoolVar(&opt.schema, "schema", false, "print the JSON schema of lab files")
	c.ValidArgsFunction = labFiles
	return c
}

func (a *app) format(path string, opt formatOptions) error {
	data, err := warren.ReadFile(path)
	if err != nil {
		return err
	}
	lab, err := topo.Parse(path, data)
	if err != nil {
		return err
	}
	var out []byte
	if opt.expand {
		out, err = topo.FormatExpanded(lab)
	} else {
		out, err = topo.Format(data)
	}
	switch {
	case err != nil:
		return fmt.Errorf("format %s: %w", path, err)
	case opt.check:
		if bytes.Equal(data, out) {
			return nil
		}
		fmt.Fprintln(a.Out, path)
		return exit{1}
	case opt.write && path != "-":
		if bytes.Equal(data, out) {
			return nil
		}
		return replaceFile(path, out)
	}
	_, err = a.Out.Write(out)
	return err
}

// replaceFile writes a file beside the old one and puts it in its place, so that nobody ever reads half of it. A symbolic
// link stays one.
func replaceFile(path string, data []byte) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", path, err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(real), "."+filepath.Base(real)+".*")
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", path, err)
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), real)
	}
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
