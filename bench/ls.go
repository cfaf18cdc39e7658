package main

import (
	"fmt"
	"strings"
)

// listed is how many names ls is measured with.
const listed = 1000

// lists compares ls with ip netns list, whole process against whole process: of names alone, and of namespaces with a link,
// addresses and lo up, of which ls shows the addresses and ip nothing but the name.
func (b *bench) lists() error {
	duel := func(what string) error {
		return b.fight(duel{what, []string{b.warren, "ls"}, []string{"ip", "netns", "list"}, 3, nil})
	}
	var names strings.Builder
	for i := range listed {
		fmt.Fprintf(&names, "netns add many%d\n", i)
	}
	if err := b.ip(names.String()); err != nil {
		return err
	}
	if err := duel("ls, 1,000 names / ip netns list"); err != nil {
		return err
	}
	if err := b.ip(strings.ReplaceAll(names.String(), "add", "del")); err != nil {
		return err
	}
	leave, err := b.populate(listed)
	if err != nil {
		return err
	}
	defer leave()
	return duel("ls, 1,000 names with links and addresses / ip netns list")
}
