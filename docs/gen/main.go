// Gen writes the manual pages and the reference from the help texts of the commands, so that there is one source of all:
//
//	go run ./docs/gen docs/man docs/reference
//
// The manual pages follow man-pages(7) and are written with the macros of man(7); the reference is Markdown.
package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"warren/internal/cli"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen MAN REFERENCE")
		os.Exit(2)
	}
	root := cli.Command()
	if err := errors.Join(write(os.Args[1], "*.[17]", pages(root)), write(os.Args[2], "*.md", reference(root))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write makes the directory hold exactly the pages.
func write(dir, pattern string, want map[string]string) error {
	old, err := filepath.Glob(filepath.Join(dir, pattern))
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
