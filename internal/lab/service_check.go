package lab

import (
	"fmt"
	"strings"

	"warren/state"
)

// CheckServices refuses what a supervisor cannot run: no command, an ID twice, a dependency that is not there or goes
// round in a circle. It does not look at the system.
func CheckServices(services []Service) error {
	byID := map[string]Service{}
	for _, s := range services {
		if len(s.Argv) == 0 || s.Argv[0] == "" {
			return fmt.Errorf("service %s: no command", s.ID())
		}
		if _, ok := byID[s.ID()]; ok {
			return fmt.Errorf("service %s: declared twice", s.ID())
		}
		for _, name := range []string{s.Node, s.Name} {
			if err := state.CheckLabName(name); err != nil {
				return fmt.Errorf("service %q: %w", s.ID(), err)
			}
		}
		if s.Stop.signal() == 0 {
			return fmt.Errorf("service %s: no signal is called %q", s.ID(), s.Stop.Signal)
		}
		byID[s.ID()] = s
	}
	const visiting, done = 1, 2
	seen := map[string]int{}
	var visit func(id string, path []string) error
	visit = func(id string, path []string) error {
		switch seen[id] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("service %s: waits for itself: %s", id, strings.Join(append(path, id), " after "))
		}
		seen[id] = visiting
		for _, dep := range byID[id].After {
			if _, ok := byID[dep]; !ok {
				return fmt.Errorf("service %s: after %s, which does not exist", id, dep)
			}
			if err := visit(dep, append(path, id)); err != nil {
				return err
			}
		}
		seen[id] = done
		return nil
	}
	for _, s := range services {
		if err := visit(s.ID(), nil); err != nil {
			return err
		}
	}
	return nil
}
