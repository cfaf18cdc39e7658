package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"warren/netns"
)

type bench struct {
	options
	ctx    context.Context //nolint:containedctx // one run, one context
	dir    string
	warren string
	// programs holds those that were built.
	programs string
	floor    string // "" when there is none
	batch    string
	plain    string
	table    table
}

// A sample is one run of a program.
type sample struct {
	wall   time.Duration
	apply  time.Duration // carrying out the steps alone, of "warren up"
	memory int64         // bytes, at most at one time
	busy   time.Duration // of all processors, while it ran
}

func (b *bench) measure() error {
	if b.onlyIP {
		return b.iproute()
	}
	if b.onlySeeing {
		return b.seeing()
	}
	for _, n := range b.sizes {
		if err := b.star(n); err != nil {
			return fmt.Errorf("star of %d: %w", n, err)
		}
	}
	largest := b.sizes[len(b.sizes)-1]
	if err := b.large(largest); err != nil {
		return fmt.Errorf("star of %d: %w", largest, err)
	}
	if err := b.ring(); err != nil {
		return fmt.Errorf("ring of 306: %w", err)
	}
	if err := b.ordinary(200); err != nil {
		return fmt.Errorf("star of 200 as an ordinary user: %w", err)
	}
	if err := b.exec(); err != nil {
		return fmt.Errorf("exec: %w", err)
	}
	if err := b.seeing(); err != nil {
		return err
	}
	return b.iproute()
}

// seeing measures the commands that read.
func (b *bench) seeing() error {
	if err := b.snapshots(); err != nil {
		return fmt.Errorf("snapshots: %w", err)
	}
	if err := b.lists(); err != nil {
		return fmt.Errorf("ls: %w", err)
	}
	if err := b.watching(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if err := b.why(); err != nil {
		return fmt.Errorf("why: %w", err)
	}
	return nil
}

// star compares up with the opponents, and the second up with the first.
func (b *bench) star(n int) error {
	file, err := b.starFile(n)
	if err != nil {
		return err
	}
	var floor, batch, plain, up, apply, again, down []time.Duration
	for round := range b.rounds {
		b.logf("star of %d, round %d of %d", n, round+1, b.rounds)
		if b.floor != "" {
			d, err := b.opponent(regexp.MustCompile(`build ([0-9.]+) ms`), time.Millisecond, b.floor, strconv.Itoa(n))
			if err != nil {
				return err
			}
			floor = append(floor, d)
		}
		first, err := b.up(file)
		if err != nil {
			return err
		}
		up, apply = append(up, first.wall), append(apply, first.apply)
		second, err := b.up(file)
		if err != nil {
			return err
		}
		again = append(again, second.wall)
		gone, err := b.run(b.warren, "down", "star")
		if err != nil {
			return err
		}
		down = append(down, gone.wall)
		if b.batch != "" {
			d, err := b.opponent(regexp.MustCompile(` ([0-9]+) us `), time.Microsecond, "sh", b.batch, strconv.Itoa(n))
			if err != nil {
				return err
			}
			batch = append(batch, d)
		}
		if b.plain != "" && round < b.plainRounds {
			d, err := b.opponent(regexp.MustCompile(` ([0-9]+) us `), time.Microsecond, "sh", b.plain, strconv.Itoa(n))
			if err != nil {
				return err
			}
			plain = append(plain, d)
		}
	}
	name := fmt.Sprintf("star of %d: ", n)
	b.table.ratio(name+"up, whole process / C floor", up, floor, 1.6, n >= 200)
	b.table.ratio(name+"applying alone / C floor", apply, floor, 1.25, n >= 200)
	b.table.ratio(name+"ip -batch / up", batch, up, -5, true)
	b.table.ratio(name+"plain script / up", plain, up, -25, true)
	b.table.ratio(name+"second up / first", again, up, 0.15, true)
	b.table.value(name+"down", median(down), 2*time.Second, n == 1000)
	return nil
}

// large measures what matters with many nodes: memory, calm afterwards, one node more.
func (b *bench) large(n int) error {
	file, err := b.starFile(n)
	if err != nil {
		return err
	}
	more, err := b.starFile(n + 1)
	if err != nil {
		return err
	}
	var up, add []time.Duration
	var memory []int64
	var calm []float64
	quiet, err := b.idle(time.Duration(b.calm) * time.Second) // what the machine does by itself
	if err != nil {
		return err
	}
	for round := range min(b.rounds, 10) {
		b.logf("%d and one more, round %d of %d", n, round+1, b.rounds)
		first, err := b.up(file)
		if err != nil {
			return err
		}
		up, memory = append(up, first.wall), append(memory, first.memory)
		if round < 3 {
			after, err := b.idle(time.Duration(b.calm) * time.Second)
			if err != nil {
				return err
			}
			calm = append(calm, 100*float64(max(0, after-quiet))/float64(first.busy))
		}
		one, err := b.up(more)
		if err != nil {
			return err
		}
		add = append(add, one.wall)
		if _, err := b.run(b.warren, "down", "star"); err != nil {
			return err
		}
	}
	b.table.ratio(fmt.Sprintf("one node more to %d / up", n), add, up, 0.05, true)
	b.table.number(fmt.Sprintf("peak memory of up of %d", n), float64(middle(memory))/(1<<20), "MB", 60)
	b.table.number(fmt.Sprintf("CPU in the %d s after up of %d, above an idle machine's / CPU of the build", b.calm, n), middle(calm), "%", 5)
	return nil
}

// ring measures netlab's test of 306 nodes.
func (b *bench) ring() error {
	const file = "examples/ring-306.yaml"
	if _, err := os.Stat(file); err != nil {
		b.logf("no %s: its row is left out", file)
		return nil
	}
	var up, down []time.Duration
	for round := range b.rounds {
		b.logf("ring of 306, round %d of %d", round+1, b.rounds)
		s, err := b.up(file)
		if err != nil {
			return err
		}
		up = append(up, s.wall)
		if s, err = b.run(b.warren, "down", file); err != nil {
			return err
		}
		down = append(down, s.wall)
	}
	b.table.value("ring of 306 nodes: up", median(up), time.Second, true)
	b.table.value("ring of 306 nodes: down", median(down), 0, false)
	return nil
}

// exec compares entering a namespace, in pairs.
func (b *bench) exec() error {
	file, err := b.starFile(2)
	if err != nil {
		return err
	}
	if _, err := b.up(file); err != nil {
		return err
	}
	var ours, theirs []time.Duration
	for range b.execRounds {
		s, err := b.run(b.warren, "exec", "star.n1", "--", "true")
		if err != nil {
			return err
		}
		ours = append(ours, s.wall)
		if b.batch == "" {
			continue
		}
		if s, err = b.run("ip", "netns", "exec", "star.n1", "true"); err != nil {
			return err
		}
		theirs = append(theirs, s.wall)
	}
	b.table.ratio("exec NAME -- true / ip netns exec NAME true", ours, theirs, 1.25, true)
	_, err = b.run(b.warren, "down", "star")
	return err
}

// starFile writes the lab file of a star of n nodes around a bridge in the host.
func (b *bench) starFile(n int) (string, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("star%d.yaml", n))
	text := fmt.Sprintf("name: star\nnets:\n  hub: {cidr: 10.200.0.0/16, nodes: [\"n[1-%d]\"], uplink: true}\n", n)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// up runs "warren up" and reads its report.
func (b *bench) up(file string) (sample, error) {
	var out bytes.Buffer
	s, err := b.runTo(&out, b.warren, "up", "--no-checks", "--json", file)
	if err != nil {
		return s, err
	}
	var report struct {
		Apply time.Duration `json:"apply_ns"`
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		return s, fmt.Errorf("report of up: %w", err)
	}
	s.apply = report.Apply
	return s, nil
}

// opponent runs a program that prints its own time, and waits until the kernel has thrown away what it left.
func (b *bench) opponent(pattern *regexp.Regexp, unit time.Duration, name string, args ...string) (time.Duration, error) {
	var out bytes.Buffer
	if _, err := b.runTo(&out, name, args...); err != nil {
		return 0, err
	}
	m := pattern.FindStringSubmatch(out.String())
	if m == nil {
		return 0, fmt.Errorf("%s prints no time: %s", name, out.String())
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, err
	}
	return time.Duration(v * float64(unit)), netns.WaitGone(b.ctx)
}

func (b *bench) run(name string, args ...string) (sample, error) {
	return b.runTo(nil, name, args...)
}

func (b *bench) runTo(out *bytes.Buffer, name string, args ...string) (sample, error) {
	cmd := b.command(name, args...)
	if out != nil {
		cmd.Stdout = out
	}
	before, err := busy()
	if err != nil {
		return sample{}, err
	}
	start := time.Now()
	err = cmd.Run()
	s := sample{wall: time.Since(start)}
	if err != nil {
		return s, fmt.Errorf("%s %v: %w", name, args, err)
	}
	after, err := busy()
	s.busy = after - before
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.memory = usage.Maxrss << 10
	}
	return s, err
}

// idle tells how busy the processors are in a time in which nothing should happen.
func (b *bench) idle(d time.Duration) (time.Duration, error) {
	before, err := busy()
	if err != nil {
		return 0, err
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(d):
	}
	after, err := busy()
	return after - before, err
}
