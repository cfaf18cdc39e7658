package topo

import (
	"net/netip"

	"warren/state"
)

// nodeFile is a node as the file has it: the shorthand for one service and the addresses are not where the Lab keeps them.
type nodeFile struct {
	Node
	run    Service
	runAt  Pos
	hasRun bool
	noRun  Pos // where a key stands that makes sense with run only
	ips    []fixedAddr
}

// fixedAddr is an address from a node's ip.
type fixedAddr struct {
	node, net string
	ip        []netip.Prefix
	at        Pos
}

// nodeFields are the keys of a node.
func nodeFields() object[nodeFile] {
	text := textSchema("")
	fields := []field[nodeFile]{
		{name: "ip", doc: "NET: address", holds: mapOf(listOrOne(text)), read: readNodeIP},
		{name: "forward", doc: "by default on when the node is on two or more nets", holds: boolSchema(), read: func(r *reader, n *nodeFile, v *tree, _ string) {
			if on, ok := r.boolean(v, "forward"); ok {
				n.Forward = &on
			}
		}},
		{name: "routes", doc: "auto, none, or a list such as 10.9.0.0/16 via h2 (auto in the list keeps the automatic ones)", holds: listOrOne(text), read: readRoutes},
		{name: "nat", doc: "nets towards which the node masquerades; {to: NET, address: A} translates to A", holds: listOf(anyOf(text, natFields().schema())), read: readNAT},
		{name: "dnat", doc: "wan:80 -> web:8080/tcp", holds: listOrOne(text), read: func(r *reader, n *nodeFile, v *tree, path string) {
			n.DNAT = readList(r, v, path, "dnat", parseDNAT)
		}},
		{name: "publish", doc: "ports at the host: 8080:80, 127.0.0.1:53:53/udp", holds: listOrOne(text), read: func(r *reader, n *nodeFile, v *tree, path string) {
			n.Publish = readList(r, v, path, "publish", parsePublish)
		}},
		{name: "allow", doc: "what a router forwards, the rest is rejected: lan -> web:80/tcp; or {forward, in, out}", holds: anyOf(listOrOne(text), policyFields(false).schema()), read: readAllow},
		{name: "deny", doc: "what a router does not forward; or {forward, in, out}", holds: anyOf(listOrOne(text), policyFields(true).schema()), read: readDeny},
		{name: "in", doc: "what the node accepts, the rest is rejected: tcp 22 from lan", holds: listOrOne(text), read: func(r *reader, n *nodeFile, v *tree, path string) {
			policyFields(false).find("in").read(r, &n.Node, v, path)
		}},
		{name: "out", doc: "what the node may send, the rest is rejected: tcp 443 to web", holds: listOrOne(text), read: func(r *reader, n *nodeFile, v *tree, path string) {
			policyFields(false).find("out").read(r, &n.Node, v, path)
		}},
		{name: "sysctl", doc: "net.* keys of the namespace", holds: mapOf(text), read: readSysctl},
		{name: "services", doc: "name -> command, or a map", holds: mapOf(anyOf(text, listOf(text), serviceFields().schema())), read: readServices},
		{name: "netns", doc: "an existing namespace instead of a new one: a name, a path, pid:N, id:N, cookie:N, container:ID", holds: text, read: func(r *reader, n *nodeFile, v *tree, _ string) {
			n.Netns, _ = parsed(r, v, "netns", checkNetns)
		}},
		{name: "hosts", doc: "extra names: NAME: address", holds: mapOf(listOrOne(text)), read: readHosts},
		{name: "dns", doc: "resolvers", holds: listOrOne(text), read: func(r *reader, n *nodeFile, v *tree, path string) {
			n.DNS = readList(r, v, path, "dns", parseAddr)
		}},
		{name: "nft", later: true},
		{name: "frr", later: true},
		{name: "bird", later: true},
		{name: "devices", later: true},
		{name: "tun", later: true},
		{name: "tap", later: true},
		{name: "dummy", later: true},
		{name: "wireguard", later: true},
	}
	fields = append(fields, field[nodeFile]{name: "run", doc: "the node's one service: a line for the shell, or a list of words", holds: listOrOne(text), read: func(r *reader, n *nodeFile, v *tree, path string) {
		n.hasRun, n.runAt = true, v.pos
		n.run.Name = "run"
		n.run.Cmd = readCommand(r, v, "run")
	}})
	for _, f := range serviceFields().fields {
		if f.name == "cmd" {
			continue
		}
		one := field[nodeFile]{name: f.name, doc: f.doc + " (of run)", holds: f.holds, later: f.later}
		if !f.later {
			one.read = func(r *reader, n *nodeFile, v *tree, path string) {
				if n.noRun == (Pos{}) {
					n.noRun = v.pos
				}
				f.read(r, &n.run, v, path)
			}
		}
		fields = append(fields, one)
	}
	return object[nodeFile]{"a node", fields}
}

func natFields() object[NAT] {
	return object[NAT]{"nat", []field[NAT]{
		{name: "to", doc: "net", holds: textSchema(""), read: func(r *reader, n *NAT, v *tree, _ string) {
			n.To, _ = r.text(v, "to")
		}},
		{name: "address", doc: "new source address; by default the node's own on the net", holds: textSchema(""), read: func(r *reader, n *NAT, v *tree, _ string) {
			n.Addr, _ = parsed(r, v, "address", parseAddr)
		}},
	}}
}

// policyFields are the keys of allow and deny in their long form.
func policyFields(deny bool) object[Node] {
	what := "allow"
	if deny {
		what = "deny"
	}
	one := func(name, doc, word string, of func(*Node) *Policy) field[Node] {
		return field[Node]{name: name, doc: doc, holds: listOrOne(textSchema("")), read: func(r *reader, n *Node, v *tree, path string) {
			r.policy(of(n), deny, v, path, func(s string) (Flow, error) {
				if word == "" {
					return parseThrough(s)
				}
				return parseEnd(s, word)
			})
		}}
	}
	return object[Node]{what, []field[Node]{
		one("forward", "what is forwarded: FROM -> TO[:PORT][/PROTO]", "", func(n *Node) *Policy { return &n.Through }),
		one("in", "what comes in: tcp 22 from lan", "from", func(n *Node) *Policy { return &n.In }),
		one("out", "what goes out: tcp 443 to web", "to", func(n *Node) *Policy { return &n.Out }),
	}}
}

// serviceFields are the keys of a service.
func serviceFields() object[Service] {
	text := textSchema("")
	return object[Service]{"a service", []field[Service]{
		{name: "cmd", doc: "a line for the shell, or a list of words", holds: listOrOne(text), read: func(r *reader, s *Service, v *tree, _ string) {
			s.Cmd = readCommand(r, v, "cmd")
		}},
		{name: "ready", doc: `tcp 80, udp 53, http :80/path, log "text" or cmd LINE, with within TIME`, holds: anyOf(text, readyFields().schema()), read: readReady},
		{name: "after", doc: "what must be ready first: NODE, NODE/SERVICE or SERVICE", holds: listOrOne(text), read: readAfter},
		{name: "env", doc: "NAME: value", holds: anyOf(mapOf(text), listOrOne(text)), read: readEnv},
		{name: "dir", doc: "working directory; by default the lab file's folder", holds: text, read: func(r *reader, s *Service, v *tree, _ string) {
			s.Dir, _ = parsed(r, v, "dir", cleanText)
		}},
		{name: "user", doc: "name or number", holds: text, read: func(r *reader, s *Service, v *tree, _ string) {
			s.User, _ = parsed(r, v, "user", cleanText)
		}},
		{name: "stop", doc: "SIGNAL [within TIME], then KILL; by default TERM within 5s", holds: text, read: func(r *reader, s *Service, v *tree, _ string) {
			s.Stop, _ = parsed(r, v, "stop", parseStop)
		}},
		{name: "logs", doc: "none, or a file; by default kept for the command logs", holds: text, read: func(r *reader, s *Service, v *tree, _ string) {
			switch t, _ := parsed(r, v, "logs", cleanText); t {
			case "true", "auto":
			case "false":
				s.Logs = "none"
			default:
				s.Logs = t
			}
		}},
		{name: "restart", later: true},
	}}
}

func readyFields() object[Ready] {
	text := textSchema("")
	one := func(kind, doc string) field[Ready] {
		return field[Ready]{name: kind, doc: doc, holds: text, read: func(r *reader, t *Ready, v *tree, _ string) {
			if t.Kind != "" {
				r.fail(v.pos, "", "ready is one of tcp, udp, http, log and cmd")
				return
			}
			within := t.Within
			*t, _ = parsed(r, v, "ready", func(s string) (Ready, error) {
				switch kind {
				case "log", "cmd":
					if s == "" {
						return Ready{}, errText("%s takes a text", kind)
					}
					return Ready{Kind: kind, Text: s}, nil
				}
				return parseReady(kind + " " + s)
			})
			t.Within = max(t.Within, within)
		}}
	}
	return object[Ready]{"ready", []field[Ready]{
		one("tcp", "port"), one("udp", "port"), one("http", ":PORT/PATH"), one("log", "text that appears in the output"), one("cmd", "line for the shell that succeeds"),
		{name: "within", doc: "time; by default 30s", holds: text, read: func(r *reader, t *Ready, v *tree, _ string) {
			t.Within, _ = parsed(r, v, "within", parseDuration)
		}},
	}}
}

// readList reads a list through one of the functions of syntax.go.
func readList[V any](r *reader, v *tree, path, what string, parse func(string) (V, error)) []V {
	var out []V
	for _, x := range r.items(v) {
		if one, ok := parsed(r, x, what, parse); ok {
			r.where[itemPath(path, len(out))] = x.pos
			out = append(out, one)
		}
	}
	return out
}

// keySysctl turns what people write into the path below /proc/sys.
func keySysctl(s string) (string, error) {
	key := s
	if !containsSlash(key) {
		key = dotsToSlashes(key)
	}
	for _, part := range splitSlash(key) {
		if err := state.CheckName(part, 64); err != nil {
			return "", errText("sysctl %q: %w", s, err)
		}
	}
	if len(key) < 5 || key[:4] != "net/" {
		return "", errText("sysctl %q is not a net.* key: only those belong to a namespace", s)
	}
	return key, nil
}
