package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A duel is a command line for both, whole process against whole process.
type duel struct {
	what   string
	ours   []string
	theirs []string
	target float64               // 0 = none
	after  func(round int) error // undoes what a round did
}

// iproute compares us, called as ip, with iproute2's ip.
func (b *bench) iproute() error {
	ip := filepath.Join(b.dir, "ip")
	if err := os.Symlink(b.warren, ip); err != nil && !os.IsExist(err) {
		return err
	}
	const names = 1000
	var script strings.Builder
	for i := range names {
		fmt.Fprintf(&script, "netns add many%d\n", i)
	}
	many := filepath.Join(b.dir, "many")
	if err := os.WriteFile(many, []byte(script.String()), 0o644); err != nil {
		return err
	}
	if _, err := b.run(ip, "-batch", many); err != nil {
		return err
	}
	lines, across, acrossIP, err := b.batches()
	if err != nil {
		return err
	}
	undo := func(int) error {
		_, err := b.run("ip", "-n", "many0", "addr", "flush", "dev", "lo")
		return err
	}
	undoAcross := func(int) error {
		for i := range spaces {
			if _, err := b.run("ip", "-n", fmt.Sprintf("many%d", i), "addr", "flush", "dev", "lo"); err != nil {
				return err
			}
		}
		return nil
	}
	del := func(int) error {
		_, err := b.run("ip", "netns", "del", "new")
		return err
	}
	empty, err := b.emptyProgram()
	if err != nil {
		return err
	}
	const allowed = 1.25
	for _, d := range []duel{
		{"ip -V: the start of the process alone", []string{ip, "-V"}, []string{"ip", "-V"}, 0, nil},
		{"an empty Go program / ip -V", []string{empty}, []string{"ip", "-V"}, 0, nil},
		{"ip netns add", []string{ip, "netns", "add", "new"}, []string{"ip", "netns", "add", "new"}, allowed, del},
		{"ip netns list, 1,000 names", []string{ip, "netns", "list"}, []string{"ip", "netns", "list"}, allowed, nil},
		{"ip -n X addr show", []string{ip, "-n", "many1", "addr", "show"}, []string{"ip", "-n", "many1", "addr", "show"}, allowed, nil},
		{"ip netns exec X true", []string{ip, "netns", "exec", "many1", "true"}, []string{"ip", "netns", "exec", "many1", "true"}, allowed, nil},
		{"ip -n X -batch of 1,000 lines", []string{ip, "-n", "many0", "-batch", lines}, []string{"ip", "-n", "many0", "-batch", lines}, allowed, undo},
		{"warren -batch of 1,000 lines in 20 namespaces / 20 ip -n X -batch", []string{b.warren, "-batch", across}, []string{"sh", acrossIP}, 0.5, undoAcross},
	} {
		if err := b.fight(d); err != nil {
			return fmt.Errorf("%s: %w", d.what, err)
		}
	}
	_, err = b.run("ip", "-all", "netns", "delete")
	return err
}

// emptyProgram builds a Go program that does nothing: no other starts faster.
func (b *bench) emptyProgram() (string, error) {
	source, program := filepath.Join(b.dir, "empty.go"), filepath.Join(b.programs, "empty")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return "", err
	}
	if err := b.command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, source).Run(); err != nil {
		return "", err
	}
	return program, settle(program)
}

// spaces is how many namespaces the batch across namespaces has lines for.
const spaces = 20

// batches writes 1,000 lines for one namespace, the same number for several, and the script that does those with ip.
func (b *bench) batches() (one, several, script string, err error) {
	var lines, across, sh strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, "addr add 10.%d.%d.1/32 dev lo\n", i/250, i%250)
		fmt.Fprintf(&across, "-n many%d addr add 10.%d.%d.1/32 dev lo\n", i%spaces, i/250, i%250)
	}
	for n := range spaces {
		fmt.Fprintf(&sh, "ip -n many%d -batch - <<end\n", n)
		for i := n; i < 1000; i += spaces {
			fmt.Fprintf(&sh, "addr add 10.%d.%d.1/32 dev lo\n", i/250, i%250)
		}
		sh.WriteString("end\n")
	}
	for name, text := range map[string]string{"one": lines.String(), "several": across.String(), "script": sh.String()} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
			return "", "", "", err
		}
	}
	return filepath.Join(b.dir, "one"), filepath.Join(b.dir, "several"), filepath.Join(b.dir, "script"), nil
}

// fight measures both in turn.
func (b *bench) fight(d duel) error {
	var ours, theirs []time.Duration
	quiet := func(argv []string) (time.Duration, error) {
		cmd := b.command(argv[0], argv[1:]...)
		start := time.Now()
		err := cmd.Run()
		return time.Since(start), err
	}
	for round := range max(10, b.execRounds/4) {
		for _, side := range []struct {
			argv []string
			to   *[]time.Duration
		}{{d.ours, &ours}, {d.theirs, &theirs}} {
			took, err := quiet(side.argv)
			if err != nil {
				return fmt.Errorf("%v: %w", side.argv, err)
			}
			*side.to = append(*side.to, took)
			if d.after != nil {
				if err := d.after(round); err != nil {
					return err
				}
			}
		}
	}
	b.table.ratio(d.what, ours, theirs, d.target, d.target != 0)
	return nil
}
