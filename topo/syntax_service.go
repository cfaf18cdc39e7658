package topo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseReady reads tcp PORT, udp PORT, http :PORT/PATH, log "TEXT" or cmd LINE, each with "within TIME" at the end.
func parseReady(s string) (Ready, error) {
	r := Ready{}
	s = strings.TrimSpace(s)
	if i := strings.LastIndex(s, " within "); i >= 0 {
		if d, err := parseDuration(strings.TrimSpace(s[i+8:])); err == nil {
			r.Within, s = d, strings.TrimSpace(s[:i])
		}
	}
	kind, rest, _ := strings.Cut(s, " ")
	rest = strings.TrimSpace(rest)
	r.Kind = kind
	var err error
	switch kind {
	case "tcp", "udp":
		r.Port, err = parsePort(strings.TrimPrefix(rest, ":"))
	case "http":
		port, path, hasPath := strings.Cut(strings.TrimPrefix(rest, ":"), "/")
		r.Path = "/" + path
		if port == "" && hasPath {
			port = "80"
		}
		r.Port, err = parsePort(port)
	case "log":
		r.Text = rest
		if strings.HasPrefix(rest, `"`) {
			r.Text, err = strconv.Unquote(rest)
		}
		if err != nil || r.Text == "" {
			err = fmt.Errorf("log takes a text to look for, as in log \"listening\"")
		}
	case "cmd":
		if r.Text = rest; rest == "" {
			err = fmt.Errorf("cmd takes a command")
		}
	default:
		err = fmt.Errorf("%q is not tcp PORT, udp PORT, http :PORT/PATH, log \"TEXT\" or cmd LINE", s)
	}
	return r, err
}

// IsZero reports whether a service counts as ready as soon as it runs.
func (r Ready) IsZero() bool { return r.Kind == "" }

func (r Ready) String() string {
	s := r.Kind
	switch r.Kind {
	case "tcp", "udp":
		s += " " + strconv.Itoa(int(r.Port))
	case "http":
		s += " :" + strconv.Itoa(int(r.Port)) + r.Path
	case "log":
		s += " " + strconv.Quote(r.Text)
	case "cmd":
		s += " " + r.Text
	}
	if r.Within != 0 {
		s += " within " + formatDuration(r.Within)
	}
	return s
}

var stopSignals = []string{"TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2", "WINCH"}

// parseStop reads SIGNAL [within TIME], or TIME alone.
func parseStop(s string) (Stop, error) {
	words := strings.Fields(s)
	st := Stop{}
	if len(words) == 1 {
		if d, err := parseDuration(words[0]); err == nil {
			return Stop{Within: d}, nil
		}
	}
	if len(words) == 3 && words[1] == "within" {
		d, err := parseDuration(words[2])
		if err != nil {
			return st, err
		}
		st.Within, words = d, words[:1]
	}
	if len(words) != 1 {
		return st, fmt.Errorf("%q is not SIGNAL [within TIME]", s)
	}
	st.Signal = strings.TrimPrefix(strings.ToUpper(words[0]), "SIG")
	if slices.Contains(stopSignals, st.Signal) {
		return st, nil
	}
	return st, fmt.Errorf("%q is not a signal (%s)", words[0], strings.Join(stopSignals, ", "))
}

func (s Stop) String() string { return s.Signal + " within " + formatDuration(s.Within) }

// Defaults of services.
const (
	defaultReady = 30 * time.Second
	defaultGrace = 5 * time.Second
)
