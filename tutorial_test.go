package warren_test

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"warren/internal/kerneltest"
)

var updateTutorial = flag.Bool("update-tutorial", false, "write what comes out into docs/tutorial.md")

const tutorial = "docs/tutorial.md"

// A command of the tutorial: its lines begin with "$ ", and with "> " where they go on. What follows is what comes out.
type tutorialCommand struct {
	line   int // in the file, from 0
	script string
	want   []string
	from   int // lines of want in the file
	to     int
}

// TestTutorial runs every command that docs/tutorial.md shows, in order, in a world of its own, and compares what comes out with
// what the text says. A block of YAML whose first line is "# NAME" is written to that file.
func TestTutorial(t *testing.T) {
	kerneltest.LeakCheck(t)
	kerneltest.Need(t, "nftables")
	data, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	dir := t.TempDir()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	former := sh(t, "sysctl -n net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables")
	t.Cleanup(func() {
		f := strings.Fields(former)
		sh(t, "sysctl -qw net.ipv4.ip_forward="+f[0]+" net.bridge.bridge-nf-call-iptables="+f[1])
		nothingLeft(t)
	})
	sh(t, "sysctl -qw net.bridge.bridge-nf-call-iptables=0")
	commands := readTutorial(t, dir, lines)
	if len(commands) < 30 {
		t.Fatalf("only %d commands were found", len(commands))
	}
	changed := false
	results := make([][]string, len(commands))
	for i, c := range commands {
		results[i] = runTutorial(t, dir, filepath.Dir(path), c)
		// The kernel reports carriers a moment later. A person types more slowly.
		for end := time.Now().Add(30 * time.Second); !same(c.want, results[i]) && looks(c.script) && time.Now().Before(end); {
			results[i] = runTutorial(t, dir, filepath.Dir(path), c)
		}
		if !same(c.want, results[i]) {
			changed = true
			if !*updateTutorial {
				t.Errorf("%s:%d: $ %s\nthe text shows:\n%s\nit prints:\n%s", tutorial, c.line+1, c.script, strings.Join(c.want, "\n"), strings.Join(results[i], "\n"))
			}
		}
	}
	if *updateTutorial && changed {
		for i, c := range slices.Backward(commands) {
			if !same(c.want, results[i]) {
				lines = append(lines[:c.from:c.from], append(results[i], lines[c.to:]...)...)
			}
		}
		if err := os.WriteFile(tutorial, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// looks reports whether a command changes nothing.
func looks(script string) bool {
	return !slices.ContainsFunc(strings.Fields(script), func(w string) bool {
		return slices.Contains([]string{"add", "set", "del", "delete", "flush", "exec", "kill", "up", "down", "repair", "&"}, w)
	})
}

// readTutorial finds the commands, and writes the files.
func readTutorial(t *testing.T, dir string, lines []string) []tutorialCommand {
	t.Helper()
	var out []tutorialCommand
	for i := 0; i < len(lines); i++ {
		fence, ok := strings.CutPrefix(lines[i], "```")
		if !ok {
			continue
		}
		end := i + 1
		for end < len(lines) && lines[end] != "```" {
			end++
		}
		block := lines[i+1 : end]
		switch fence {
		case "console":
			out = append(out, readCommands(block, i+1)...)
		case "yaml":
			if name, ok := strings.CutPrefix(block[0], "# "); ok && strings.HasSuffix(name, ".yaml") {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(block, "\n")+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		default:
			t.Errorf("%s:%d: a block of %q, which no test looks at", tutorial, i+1, fence)
		}
		i = end
	}
	return out
}

func readCommands(block []string, at int) []tutorialCommand {
	var out []tutorialCommand
	for i, l := range block {
		script, isCommand := strings.CutPrefix(l, "$ ")
		more, goesOn := strings.CutPrefix(l, "> ")
		switch last := len(out) - 1; {
		case isCommand:
			out = append(out, tutorialCommand{line: at + i, script: script, from: at + i + 1, to: at + i + 1})
		case goesOn && len(out[last].want) == 0:
			out[last].script += "\n" + more
			out[last].from, out[last].to = at+i+1, at+i+1
		case last >= 0:
			out[last].want = append(out[last].want, l)
			out[last].to = at + i + 1
		}
	}
	return out
}

// runTutorial runs a command as a person would, with warren in the PATH. One that ends in "&" goes on; its output must be sent
// elsewhere.
func runTutorial(t *testing.T, dir, bin string, c tutorialCommand) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", c.script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH")+":/usr/sbin:/sbin", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s:%d: $ %s: %v\n%s", tutorial, c.line+1, c.script, err, out)
	}
	text := strings.TrimRight(string(out), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	return lines
}

// same compares what is shown with what came out: values that are others each time count as equal, and a line "..." stands for
// any lines.
func same(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "..." {
		for skip := range len(got) + 1 {
			if same(want[1:], got[skip:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && loose(want[0]) == loose(got[0]) && same(want[1:], got[1:])
}

// loose replaces what is another value each time: indexes, hardware addresses, times, process numbers, ids of namespaces, names
// that are hashes, and the width of what is padded to them.
func loose(line string) string {
	for _, r := range []struct{ pattern, with string }{
		{`[0-9a-f]{2}(:[0-9a-f]{2}){5}`, "MAC"},
		{`\b(wb|wv)[0-9a-f]{10,}`, "HASH"},
		{`^\d+: `, "N: "},
		{`@if\d+`, "@ifN"},
		{`link-netnsid \d+`, "link-netnsid N"},
		{` \(id: \d+\)`, ""},
		{`net:\[\d+\]`, "net:[N]"},
		{`= [\d./]+ ms`, "= TIMES"},
		{`time[= ]\d+(\.\d+)? ?ms`, "time"},
		{`\d+(\.\d+)? ?(ms|µs|s)\b`, "TIME"},
		{`(users:\(\(.*pid=)\d+(,fd=\d+)`, "$1"},
		{`\bready +\d+\b`, "ready PID"},
		{`\b(REACHABLE|DELAY|STALE|PROBE)\b`, "KNOWN"},
		{`\d\d:\d\d:\d\d`, "CLOCK"},
		{`qlen \d+`, "qlen N"},
		{` +`, " "},
	} {
		line = regexp.MustCompile(r.pattern).ReplaceAllString(line, r.with)
	}
	return strings.TrimSpace(line)
}

// TestTutorialCompares: what is shown must be what comes out, but for what cannot.
func TestTutorialCompares(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"", "", true},
		{"a", "", false},
		{"...", "", true},
		{"a\n...", "a\nb\nc", true},
		{"a\n...\nc", "a\nc", true},
		{"a\n...\nc", "a\nb", false},
		{"2: eth0@if5: mtu 1500", "17: eth0@if3: mtu 1500", true},
		{"2: eth0@if5: mtu 1500", "17: eth0@if3: mtu 1400", false},
		{"1 packets, 0% packet loss, time 0ms", "1 packets, 0% packet loss, time 12ms", true},
		{"rtt min/avg = 0.057/0.057/0.057/0.000 ms", "rtt min/avg = 0.1/12.5/0.083/0.000 ms", true},
		{"1 packets, 0% packet loss, time 0ms", "1 packets, 100% packet loss, time 0ms", false},
		{"inet 10.100.0.2/24", "inet 10.100.0.3/24", false},
	} {
		lines := func(s string) []string {
			if s == "" {
				return nil
			}
			return strings.Split(s, "\n")
		}
		if got := same(lines(c.want), lines(c.got)); got != c.same {
			t.Errorf("%q and %q: %v", c.want, c.got, got)
		}
	}
}
