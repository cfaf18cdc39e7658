package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// nobody is the ordinary user, who needs no entry in any file.
const nobody = 65534

// ordinary compares up as an ordinary user, who has no world before it, with up as root, in pairs. The way out is not
// part of it: the machine has no route to anywhere.
func (b *bench) ordinary(n int) error {
	const home = "/run/ordinary" // the temporary directory is root's alone
	if err := errors.Join(os.Mkdir(home, 0o755), os.Chown(home, nobody, nobody)); err != nil {
		b.logf("no ordinary user here (%v): the row is left out", err)
		return nil
	}
	defer os.RemoveAll(home)
	warren := filepath.Join(home, "program")
	data, err := os.ReadFile(b.warren)
	if err != nil {
		return err
	}
	if err := os.WriteFile(warren, data, 0o755); err != nil { //nolint:gosec // a program
		return err
	}
	file := filepath.Join(home, "star.yaml")
	// Without an uplink: with one, root's nodes and the user's would not have the same to do.
	text := fmt.Sprintf("name: star\nnets:\n  hub: {cidr: 10.200.0.0/16, nodes: [\"n[1-%d]\"]}\n", n)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // for another user to read
		return err
	}
	as := func(user bool, args ...string) (time.Duration, error) {
		cmd := b.command(warren, args...)
		if user {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + home}
		}
		start := time.Now()
		if err := cmd.Run(); err != nil {
			return 0, fmt.Errorf("%v: %w", cmd.Args, err)
		}
		return time.Since(start), nil
	}
	var up, down [2][]time.Duration // of root, of the user
	for round := range b.rounds {
		b.logf("star of %d as an ordinary user, round %d of %d", n, round+1, b.rounds)
		for i := range 2 {
			who := (round + i) % 2 // neither is always the first
			took, err := as(who == 1, "up", "--no-checks", file)
			if err != nil {
				return err
			}
			up[who] = append(up[who], took)
			if took, err = as(who == 1, "down", "star"); err != nil {
				return err
			}
			down[who] = append(down[who], took)
		}
	}
	b.table.ratio(fmt.Sprintf("star of %d: up as an ordinary user / as root", n), up[1], up[0], 1.10, true)
	b.table.ratio(fmt.Sprintf("star of %d: down as an ordinary user / as root", n), down[1], down[0], 0, false)
	return nil
}
