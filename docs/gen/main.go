// Gen writes the manual pages from the help texts of the commands, so that there is one source of both:
//
//	go run ./docs/gen docs/man
//
// The pages follow man-pages(7) and are written with the macros of man(7).
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"warren/internal/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write makes the directory hold exactly the pages.
func write(dir string) error {
	want := pages(cli.Command())
	old, err := filepath.Glob(filepath.Join(dir, "*.[17]"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, ok := want[filepath.Base(path)]; !ok {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(want[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}
