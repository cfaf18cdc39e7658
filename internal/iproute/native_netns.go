package iproute

import (
	"encoding/json"
	"fmt"
	"slices"
)

// spaceNames are the names in the order in which ip has them; under our own name they are sorted.
func (s *session) spaceNames() []string {
	names := namesInOrder()
	if s.personality == Warren {
		slices.Sort(names)
	}
	return names
}

// report says, under our own name and with -json, which namespace a verb was about that otherwise says nothing; cookie 0 is not
// told.
func (s *session) report(name string, cookie uint64) {
	if s.personality != Warren || !s.opt.json {
		return
	}
	p := s.out()
	p.openObject("")
	p.str("name", "", name)
	if cookie != 0 {
		num(p, "cookie", "", cookie)
	}
	p.closeObject()
}

// announce tells of a name at once. Under our own name -json makes each line a document.
func (s *session) announce(event, name string) {
	if s.personality != Warren || !s.opt.json {
		fmt.Fprintf(s.stdio.Out, "%s %s\n", event, name)
		return
	}
	line, err := json.Marshal(struct {
		Event string `json:"event"`
		Name  string `json:"name"`
	}{event, name})
	if err != nil {
		return // two strings can be written
	}
	fmt.Fprintf(s.stdio.Out, "%s\n", line)
}
