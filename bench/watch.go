package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"warren/netns"
)

// How many changes are made a second, for how long, in how many namespaces, and how many at once.
const (
	changesPerSecond = 1000
	changing         = 5 * time.Second
	changed          = 20
	atOnce           = 10
)

// watching makes links change and looks whether watch tells of every change: each gives a link an alias that tells which
// change it was. The lag is the time between asking ip for the change and reading of it.
func (b *bench) watching() error {
	makers, leave, err := b.changers()
	if err != nil {
		return err
	}
	defer leave()
	w, err := b.startWatch()
	if err != nil {
		return err
	}
	const total = int(changing/time.Second) * changesPerSecond
	sent := make([]time.Time, total)
	var told telling
	var collected error
	done := make(chan struct{})
	go func() {
		defer close(done)
		told, collected = w.collect(total)
	}()
	ticker := time.NewTicker(time.Second * atOnce / changesPerSecond)
	defer ticker.Stop()
	begin := time.Now()
	for i := 0; i < total; i += atOnce {
		<-ticker.C
		for k := i; k < i+atOnce; k++ {
			sent[k] = time.Now()
			if _, err := fmt.Fprintf(makers[k%changed], "link set w0 alias c%d\n", k); err != nil {
				return errors.Join(err, w.end())
			}
		}
	}
	made := time.Since(begin)
	<-done
	if err := errors.Join(collected, w.end()); err != nil {
		return err
	}
	usage := w.cmd.ProcessState.UserTime() + w.cmd.ProcessState.SystemTime()
	var lags []time.Duration
	for i, at := range told.at {
		if !at.IsZero() {
			lags = append(lags, at.Sub(sent[i]))
		}
	}
	b.logf("watch: %d changes in %v", total, made.Round(time.Millisecond))
	b.table.count(fmt.Sprintf("watch, %d link changes a second for %v: changes that it did not tell", changesPerSecond, changing), total-len(lags), 0)
	b.table.count("the same: resyncs", told.resyncs, 0)
	if len(lags) > 0 {
		b.table.value("the same: time from the change to the line, median", median(lags), 0, false)
		b.table.value("the same: worst", slices.Max(lags), 0, false)
	}
	b.table.row("the same: share of one processor", fmt.Sprintf("%.0f %%", 100*usage.Seconds()/made.Seconds()), "", false, false)
	return nil
}

// changers starts an ip for each of some namespaces that does what it reads.
func (b *bench) changers() (makers []io.Writer, leave func(), err error) {
	var cmds []*exec.Cmd
	leave = func() {
		for i, c := range cmds {
			_ = makers[i].(io.Closer).Close()
			_ = c.Wait()
		}
		for i := range changed {
			_ = netns.Delete(b.ctx, fmt.Sprintf("%s/w%d", netns.Dir, i))
		}
		_ = netns.WaitGone(b.ctx)
	}
	defer func() {
		if err != nil {
			leave()
		}
	}()
	var lines strings.Builder
	for i := range changed {
		fmt.Fprintf(&lines, "netns add w%d\nlink add w0 netns w%d type veth peer name w1 netns w%d\n", i, i, i)
	}
	if err := b.ip(lines.String()); err != nil {
		return nil, leave, err
	}
	for i := range changed {
		c := b.command("ip", "-n", fmt.Sprintf("w%d", i), "-batch", "-")
		in, err := c.StdinPipe()
		if err != nil {
			return nil, leave, err
		}
		if err := c.Start(); err != nil {
			return nil, leave, err
		}
		cmds, makers = append(cmds, c), append(makers, in)
		// The kernel tells of an alias only while the link is up (netdev_state_change in net/core/dev.c).
		if _, err := io.WriteString(in, "link set w0 up\n"); err != nil {
			return nil, leave, err
		}
	}
	return makers, leave, nil
}

// A watch is a running "warren watch".
type watch struct {
	cmd *exec.Cmd
	out io.Reader
}

// startWatch returns when from now on nothing is missed.
func (b *bench) startWatch() (*watch, error) {
	cmd := b.command(b.warren, "watch", "--json", "--only", "link")
	cmd.Stderr = nil
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	note, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &watch{cmd: cmd, out: out}
	for s := bufio.NewScanner(note); s.Scan(); {
		if strings.Contains(s.Text(), "watching") {
			go func() { _, _ = io.Copy(io.Discard, note) }()
			return w, nil
		}
	}
	return nil, errors.Join(errors.New("watch did not begin"), w.end())
}

func (w *watch) end() error {
	_ = w.cmd.Process.Signal(os.Interrupt)
	return w.cmd.Wait()
}

// A telling is what watch told of so many changes.
type telling struct {
	at      []time.Time // zero = nothing of that one
	resyncs int
}

// patience is how long the last line may take.
const patience = 10 * time.Second

// collect reads until the last change is told, or for as long as patience lasts after the first line was asked for.
func (w *watch) collect(total int) (telling, error) {
	t := telling{at: make([]time.Time, total)}
	stop := time.AfterFunc(changing+patience, func() { _ = w.cmd.Process.Signal(os.Interrupt) })
	defer stop.Stop()
	lines := bufio.NewScanner(w.out)
	lines.Buffer(nil, 1<<20)
	for left := total; left > 0 && lines.Scan(); {
		now := time.Now()
		var e struct {
			Kind  string `json:"kind"`
			State struct {
				Alias string `json:"alias"`
			} `json:"state"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return t, err
		}
		if e.Kind == "resync" {
			t.resyncs++
		}
		number, ok := strings.CutPrefix(e.State.Alias, "c")
		i, err := strconv.Atoi(number)
		if ok && err == nil && i < total && t.at[i].IsZero() {
			t.at[i] = now
			left--
		}
	}
	return t, nil
}
