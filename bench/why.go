package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"warren"
	"warren/reach"
	"warren/state"
)

// whyHops is how many routers apart who asks and who is asked are, and whyNames how many namespaces the host has.
const (
	whyHops  = 5
	whyNames = 1000
)

// whyTarget is what why may take: 30 ms, and 2 ms for each hop.
func whyTarget(hops int) time.Duration { return time.Duration(30+2*hops) * time.Millisecond }

// why measures the question whether a packet arrives, between namespaces that nobody marked: over routers, and over a bridge
// with a port for each namespace of the host; whole processes, and the walk alone.
func (b *bench) why() error {
	times := map[int][]time.Duration{}
	for _, names := range []int{whyHops + 1, whyNames} {
		if err := b.script("chain", chainOf(names)...); err != nil {
			return err
		}
		list, err := b.asks(fmt.Sprintf("w%d", place(0, names)), fmt.Sprintf("10.0.%d.2", whyHops))
		if err != nil {
			return err
		}
		times[names] = list
		if names == whyNames {
			if err := b.walk(names); err != nil {
				return err
			}
		}
		if _, err := b.run("ip", "-all", "netns", "delete"); err != nil {
			return err
		}
	}
	many := times[whyNames]
	b.table.value(fmt.Sprintf("why over %d hops on a host of 1,000 namespaces", whyHops), median(many), whyTarget(whyHops), true)
	b.table.ratio(fmt.Sprintf("why over %d hops, 1,000 namespaces / %d", whyHops, whyHops+1), many, times[whyHops+1], 0, false)
	return b.whyBridge()
}

// place is which of many namespaces a router of the chain is: they are spread over all names.
func place(i, names int) int { return i * (names - 1) / whyHops }

// chainOf writes the scripts of ip that make the namespaces, and a chain of routers among them.
func chainOf(names int) []string {
	var make, routes strings.Builder
	for i := range names {
		fmt.Fprintf(&make, "netns add w%d\n", i)
	}
	for i := range whyHops {
		fmt.Fprintf(&make, "link add right netns w%d type veth peer name left netns w%d\n", place(i, names), place(i+1, names))
	}
	for i := range whyHops + 1 {
		on := fmt.Sprintf("-n w%d ", place(i, names))
		if i < whyHops {
			fmt.Fprintf(&routes, "%saddr add 10.0.%d.1/24 dev right\n%slink set right up\n", on, i+1, on)
		}
		if i > 0 {
			fmt.Fprintf(&routes, "%saddr add 10.0.%d.2/24 dev left\n%slink set left up\n", on, i, on)
		}
		for j := range whyHops {
			switch {
			case j > i:
				fmt.Fprintf(&routes, "%sroute add 10.0.%d.0/24 via 10.0.%d.2\n", on, j+1, i+1)
			case j < i-1:
				fmt.Fprintf(&routes, "%sroute add 10.0.%d.0/24 via 10.0.%d.1\n", on, j+1, i)
			}
		}
	}
	return []string{make.String(), routes.String()}
}

// rest waits until the processors have little to do, for at most that long: a thousand new hosts on one bridge look for routers and
// groups by IPv6 at first, and each of their packets goes to all the others.
func (b *bench) rest(most time.Duration) error {
	const look, little = 2 * time.Second, 100 * time.Millisecond
	for end := time.Now().Add(most); time.Now().Before(end); {
		worked, err := b.idle(look)
		if err != nil || worked < little {
			return err
		}
	}
	b.logf("the machine does not come to rest")
	return nil
}

// script runs lines of ip's grammar, which our own batch takes across namespaces.
func (b *bench) script(name string, scripts ...string) error {
	for _, text := range scripts {
		file := filepath.Join(b.dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		if _, err := b.run(b.warren, "-batch", file); err != nil {
			return err
		}
	}
	return nil
}

// asks measures the whole command. What the answer is does not matter for how long it takes: routers of the chain do not
// forward before they are told to, and the walk goes on as if they did.
func (b *bench) asks(from, to string) ([]time.Duration, error) {
	var list []time.Duration
	for range max(10, b.execRounds/4) {
		cmd := b.command(b.warren, "why", from, to)
		start := time.Now()
		err := cmd.Run()
		took := time.Since(start)
		if code := cmd.ProcessState.ExitCode(); err != nil && code != 1 {
			return nil, fmt.Errorf("why %s %s: %w", from, to, err)
		}
		list = append(list, took)
	}
	return list, nil
}

// walk measures the pure walk, there and back, on a snapshot.
func (b *bench) walk(names int) error {
	w, err := warren.Open(warren.Options{})
	if err != nil {
		return err
	}
	defer w.Close()
	q := state.Query{Parts: state.PartsWalk}
	for i := range whyHops + 1 {
		q.Names = append(q.Names, fmt.Sprintf("w%d", place(i, names)))
	}
	s, err := w.Observe(b.ctx, q)
	if err != nil {
		return err
	}
	question := warren.WhyQuery{Source: q.Names[0], Destination: fmt.Sprintf("10.0.%d.2", whyHops)}
	var list []time.Duration
	for range 200 {
		start := time.Now()
		v, err := warren.Why(&s, question)
		list = append(list, time.Since(start)/(2*whyHops))
		if err != nil || v.Reachable == reach.Unknown {
			return fmt.Errorf("why: %s %v: %w", v.Reachable, v.Unknowns, err)
		}
	}
	b.table.value("the pure walk, a hop", median(list), 100*time.Microsecond, true)
	return nil
}

// whyBridge asks across a bridge with a port for each namespace, where nothing tells behind which one the address is.
func (b *bench) whyBridge() error {
	var make, rest strings.Builder
	for i := range whyNames {
		fmt.Fprintf(&make, "netns add w%d\n", i)
	}
	make.WriteString("link add wbr type bridge\nlink set wbr up\n")
	for i := range whyNames {
		fmt.Fprintf(&make, "link add wp%d master wbr up type veth peer name eth0 netns w%d\n", i, i)
		fmt.Fprintf(&rest, "-n w%d addr add 10.0.%d.%d/16 dev eth0\n-n w%d link set eth0 up\n", i, i/250, i%250+1, i)
	}
	if err := b.script("bridge", make.String(), rest.String()); err != nil {
		return err
	}
	list, err := b.asks("w1", "10.0.3.100")
	if err != nil {
		return err
	}
	b.table.value("why across a bridge with 1,000 ports", median(list), whyTarget(2), true)
	if err := b.rest(time.Minute); err != nil {
		return err
	}
	if list, err = b.asks("w1", "10.0.3.100"); err != nil {
		return err
	}
	b.table.value("why across a bridge with 1,000 ports, hosts at rest", median(list), whyTarget(2), true)
	if _, err := b.run("ip", "-all", "netns", "delete"); err != nil {
		return err
	}
	_, err = b.run("ip", "link", "del", "wbr")
	return err
}
