package rtnl

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Names translates between the names and the indexes of one namespace's links. A nil Names knows none.
type Names interface {
	// Index returns the index of a link, by name or alternative name.
	Index(name string) (int, bool)
	// Name returns a link's name.
	Name(index int) (string, bool)
}

// A NameTable is a Names that is filled by hand or by [DecodeLinks]. The zero value is empty and ready.
type NameTable struct {
	byName  map[string]int
	byIndex map[int]string
}

// Set says that a link of that name has that index, and forgets what else was known about either.
func (t *NameTable) Set(index int, name string) {
	if t.byName == nil {
		t.byName, t.byIndex = map[string]int{}, map[int]string{}
	}
	if old, ok := t.byIndex[index]; ok && t.byName[old] == index {
		delete(t.byName, old)
	}
	if old, ok := t.byName[name]; ok && t.byIndex[old] == name {
		delete(t.byIndex, old)
	}
	t.byName[name] = index
	t.byIndex[index] = name
}

// SetAlt adds an alternative name: it leads to the index, the index does not lead to it.
func (t *NameTable) SetAlt(index int, name string) {
	if t.byName == nil {
		t.byName, t.byIndex = map[string]int{}, map[int]string{}
	}
	if _, ok := t.byName[name]; !ok {
		t.byName[name] = index
	}
}

// Remove forgets a link and its alternative names.
func (t *NameTable) Remove(index int) {
	delete(t.byIndex, index)
	for n, i := range t.byName { // order does not matter: all of them go
		if i == index {
			delete(t.byName, n)
		}
	}
}

// Index implements [Names].
func (t *NameTable) Index(name string) (int, bool) {
	i, ok := t.byName[name]
	return i, ok
}

// Name implements [Names].
func (t *NameTable) Name(index int) (string, bool) {
	n, ok := t.byIndex[index]
	return n, ok
}

// An UnknownLinkError says that a name is not in Names. It is the kernel's error for the same: ENODEV.
type UnknownLinkError struct{ Name string }

func (e *UnknownLinkError) Error() string { return fmt.Sprintf("no link named %q", e.Name) }

// Unwrap returns ENODEV.
func (e *UnknownLinkError) Unwrap() error { return unix.ENODEV }

// indexOf finds a link's index. "" is 0: none.
func indexOf(names Names, name string) (uint32, error) {
	if name == "" {
		return 0, nil
	}
	if names != nil {
		if i, ok := names.Index(name); ok {
			return uint32(i), nil
		}
	}
	if digits, ok := strings.CutPrefix(name, "if"); ok {
		n, err := strconv.ParseUint(digits, 10, 32)
		if err == nil && n > 0 && strconv.FormatUint(n, 10) == digits {
			return uint32(n), nil
		}
	}
	return 0, &UnknownLinkError{Name: name}
}

// nameOf names a link by its index; 0 is "".
func nameOf(names Names, index uint32) string {
	if index == 0 {
		return ""
	}
	if names != nil {
		if n, ok := names.Name(int(index)); ok {
			return n
		}
	}
	return "if" + strconv.FormatUint(uint64(index), 10)
}

// index writes an attribute with the index of a link, when there is a name.
func (e *encoder) index(typ uint16, names Names, name string) {
	i, err := indexOf(names, name)
	if err != nil {
		e.fail(err)
		return
	}
	e.optU32(typ, i)
}
