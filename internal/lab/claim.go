package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"warren/state"
)

// claimsDir holds a file for each node that exists only for as long as a process does. The process has a flock on it, which
// the kernel takes away when the process dies in whatever way.
const claimsDir = "claims"

// A Claim ties a node to this process. Whoever sees the node without a living claim may remove it.
type Claim struct {
	f    *os.File
	path string
}

// Claim claims a node. Call it under the lab's lock, before the node is made.
func (d Dir) Claim(node string) (*Claim, error) {
	if err := state.CheckLabName(node); err != nil {
		return nil, fmt.Errorf("claim node: %w", err)
	}
	fail := func(err error) (*Claim, error) {
		return nil, fmt.Errorf("claim node %s of lab %s: %w", node, d.lab, err)
	}
	if err := os.Mkdir(d.file(claimsDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fail(err)
	}
	path := filepath.Join(d.file(claimsDir), node)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fail(err)
	}
	if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return fail(err)
	}
	return &Claim{f: f, path: path}, nil
}

// Drop ends the claim on a node that is gone. Call it under the lab's lock.
func (c *Claim) Drop() {
	if c == nil || c.f == nil {
		return
	}
	_ = os.Remove(c.path)
	_ = os.Remove(filepath.Dir(c.path)) // fails while there are others
	c.Close()
}

// Close lets go of the claim: when its file is still there, the node is abandoned.
func (c *Claim) Close() {
	if c == nil || c.f == nil {
		return
	}
	_ = flock(c.f, unix.LOCK_UN) // explicitly: a child that is about to exec has a copy
	_ = c.f.Close()
	c.f = nil
}

// Abandoned lists the nodes whose processes have died. Call it under the lab's lock.
func (d Dir) Abandoned() ([]string, error) {
	entries, err := os.ReadDir(d.file(claimsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for abandoned nodes of lab %s: %w", d.lab, err)
	}
	var out []string
	for _, e := range entries {
		f, err := os.OpenFile(filepath.Join(d.file(claimsDir), e.Name()), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue // gone meanwhile: dropped
		}
		if flock(f, unix.LOCK_EX|unix.LOCK_NB) == nil {
			out = append(out, e.Name())
		}
		_ = f.Close()
	}
	return out, nil
}

// DropClaims forgets the claims on nodes that are gone.
func (d Dir) DropClaims(nodes []string) {
	for _, n := range nodes {
		_ = os.Remove(filepath.Join(d.file(claimsDir), n))
	}
	_ = os.Remove(d.file(claimsDir)) // fails while there are others
}
