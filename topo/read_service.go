package topo

import (
	"slices"
	"strings"

	"warren/state"
)

func readServices(r *reader, n *nodeFile, v *tree, path string) {
	if v.kind == treeNull {
		return
	}
	if v.kind != treeMap {
		r.fail(v.pos, "", "services is a map of names, not %s", v.what())
		return
	}
	for i, k := range v.keys {
		s := Service{Name: k.text}
		if err := state.CheckLabName(k.text); err != nil {
			r.fail(k.pos, "", "name of service: %w", err)
			continue
		}
		r.where[path+"/"+k.text] = k.pos
		if x := v.vals[i]; x.kind == treeMap {
			serviceFields().read(r, &s, x, path+"/"+k.text)
		} else {
			s.Cmd = readCommand(r, x, "cmd")
		}
		n.Services = append(n.Services, s)
	}
}

// readCommand: text is a line for the shell, a list is the words of a command.
func readCommand(r *reader, v *tree, what string) Command {
	if v.kind == treeScalar {
		if strings.TrimSpace(v.text) == "" || strings.ContainsRune(v.text, 0) {
			r.fail(v.pos, "", "%s is empty", what)
		}
		return Command{Shell: v.text}
	}
	if v.kind != treeList || len(v.vals) == 0 {
		r.fail(v.pos, "", "%s is a line or a list of words, not %s", what, v.what())
		return Command{}
	}
	c := Command{}
	for _, x := range v.vals {
		s, ok := r.text(x, what)
		if !ok {
			return Command{}
		}
		if strings.ContainsRune(s, 0) {
			r.fail(x.pos, "", "%s holds a zero byte", what)
		}
		c.Argv = append(c.Argv, s)
	}
	if c.Argv[0] == "" {
		r.fail(v.pos, "", "%s is empty", what)
	}
	return c
}

func readReady(r *reader, s *Service, v *tree, path string) {
	if v.kind == treeMap {
		readyFields().read(r, &s.Ready, v, path)
		if s.Ready.Kind == "" {
			r.fail(v.pos, "", "ready says none of tcp, udp, http, log and cmd")
		}
		return
	}
	s.Ready, _ = parsed(r, v, "ready", parseReady)
}

func readAfter(r *reader, s *Service, v *tree, path string) {
	for _, x := range r.items(v) {
		text, ok := r.text(x, "after")
		if !ok {
			continue
		}
		node, service, has := strings.Cut(text, "/")
		if has {
			if err := state.CheckLabName(service); err != nil {
				r.fail(x.pos, "", "after: %w", err)
				continue
			}
			service = "/" + service
		}
		for _, n := range r.names(x.pos, node, func(s string) error { return state.CheckLabName(s) }) {
			r.where[itemPath(path, len(s.After))] = x.pos
			s.After = append(s.After, n+service)
		}
	}
}

func readEnv(r *reader, s *Service, v *tree, path string) {
	add := func(at Pos, name, value string) {
		if name == "" || strings.ContainsAny(name, "= \t\n\x00") || strings.ContainsRune(value, 0) {
			r.fail(at, "", "env: %q is not the name of a variable", name)
			return
		}
		if slices.ContainsFunc(s.Env, func(e string) bool { return strings.HasPrefix(e, name+"=") }) {
			r.fail(at, "", "env: %s stands here twice", name)
			return
		}
		s.Env = append(s.Env, name+"="+value)
	}
	if v.kind == treeMap {
		for i, k := range v.keys {
			if v.vals[i].kind == treeNull {
				add(k.pos, k.text, "")
			} else if value, ok := r.text(v.vals[i], "env"); ok {
				add(k.pos, k.text, value)
			}
		}
	} else {
		for _, x := range r.items(v) {
			if text, ok := r.text(x, "env"); ok {
				name, value, has := strings.Cut(text, "=")
				if !has {
					r.fail(x.pos, "", "env: %q is not NAME=VALUE", text)
					continue
				}
				add(x.pos, name, value)
			}
		}
	}
	slices.Sort(s.Env)
}

func readChecks(r *reader, l *Lab, v *tree, path string) {
	for _, x := range r.items(v) {
		text, ok := r.text(x, "check")
		if !ok {
			continue
		}
		checks, err := ParseCheck(text)
		if err != nil {
			r.fail(x.pos, "", "check: %w", err)
			continue
		}
		for _, c := range checks {
			c.Pos = x.pos
			l.Checks = append(l.Checks, c)
		}
		if len(l.Checks) > maxMembers {
			r.fail(x.pos, "", "more than %d checks", maxMembers)
			return
		}
	}
}
