package lab

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// A LogQuery says which lines of the services' logs are wanted. The zero value: all there are, of every service.
type LogQuery struct {
	// IDs are services; none = all.
	IDs []string
	// Follow goes on with new lines, and with services that are new, until the context ends, the lab is gone, or none of the
	// services can write any more.
	Follow bool
	// Tail is how many of the last lines of each service are wanted; 0 = all, negative = none.
	Tail int
	// Since leaves out what is older; zero = nothing.
	Since time.Time
}

// A LogLine is a line that a service wrote. Time is zero where the line does not say.
type LogLine struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time,omitzero"`
	Text string    `json:"text"`
}

// logPoll is the pause between looks at files that are followed.
const logPoll = 50 * time.Millisecond

func logFile(id string) string { return strings.Replace(id, "/", ".", 1) + ".log" }

func logID(file string) (string, bool) {
	id, ok := strings.CutSuffix(file, ".log")
	node, name, dot := strings.Cut(id, ".")
	return node + "/" + name, ok && dot && node != "" && name != ""
}

// LogIDs returns the services that have a log, sorted.
func (d Dir) LogIDs() ([]string, error) {
	entries, err := os.ReadDir(d.file(logsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list logs of lab %s: %w", d.lab, err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := logID(e.Name()); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Logs calls f for every line, those of several services in the order of their times as far as they were there when the
// call began. It ends with f's error, with nil when there is nothing more to come, or with the context's error.
func (d Dir) Logs(ctx context.Context, q LogQuery, f func(LogLine) error) error {
	tails := map[string]*tail{}
	lines, err := d.look(q, tails, true)
	if err != nil {
		return err
	}
	for {
		for _, l := range lines {
			if l.Time.IsZero() || !l.Time.Before(q.Since) {
				if err := f(l); err != nil {
					return err
				}
			}
		}
		if !q.Follow {
			return ctx.Err()
		}
		// Whether it is over is asked before the last look: what was written until then is still read.
		over := len(lines) == 0 && d.silent(q.IDs)
		if len(lines) == 0 && !over {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(logPoll):
			}
		}
		if lines, err = d.look(q, tails, false); err != nil {
			return err
		}
		if over && len(lines) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// look reads what is new of every log.
func (d Dir) look(q LogQuery, tails map[string]*tail, first bool) ([]LogLine, error) {
	ids := slices.Clone(q.IDs)
	if len(ids) == 0 {
		all, err := d.LogIDs()
		if err != nil {
			return nil, err
		}
		ids = all
	}
	var out []LogLine
	for _, id := range ids {
		t := tails[id]
		if t == nil {
			t = &tail{path: d.file(logsDir) + "/" + logFile(id), id: id}
			tails[id] = t
		}
		lines, err := t.read(first)
		if err != nil {
			return nil, fmt.Errorf("read log of %s: %w", id, err)
		}
		if first && q.Tail != 0 && len(lines) > max(q.Tail, 0) {
			lines = lines[len(lines)-max(q.Tail, 0):]
		}
		out = append(out, lines...)
	}
	slices.SortStableFunc(out, func(a, b LogLine) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID)) })
	return out, nil
}

// silent reports whether none of the services can write any more.
func (d Dir) silent(ids []string) bool {
	if !d.Exists() {
		return true
	}
	var s saved
	if readJSON(d.file(servicesFile), &s) != nil {
		return false // nobody knows
	}
	if !s.Supervisor.alive() {
		return true
	}
	for _, v := range s.Services {
		if (len(ids) == 0 || slices.Contains(ids, v.ID)) && (v.Running || !v.State.Settled()) {
			return false
		}
	}
	return true
}

// A tail is how far a log was read: which file (by inode) and where.
type tail struct {
	path, id string
	info     fs.FileInfo
	offset   int64
}

// read returns the whole lines that are new. The older file is read when the log was renamed since, and at first.
func (t *tail) read(first bool) ([]LogLine, error) {
	cur, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer cur.Close()
	info, err := cur.Stat()
	if err != nil {
		return nil, err
	}
	var out []LogLine
	if t.info == nil || !os.SameFile(t.info, info) {
		old, err := os.Open(t.path + ".1")
		if err == nil {
			defer old.Close()
			oi, err := old.Stat()
			if err != nil {
				return nil, err
			}
			switch {
			case t.info != nil && os.SameFile(t.info, oi): // the rest of what we were reading
				out, _, err = t.lines(old, t.offset)
			case t.info != nil || first: // more than one was renamed since, or it is all new
				out, _, err = t.lines(old, 0)
			}
			if err != nil {
				return nil, err
			}
		}
		t.info, t.offset = info, 0
	}
	if info.Size() < t.offset {
		t.offset = 0 // somebody emptied it
	}
	more, end, err := t.lines(cur, t.offset)
	t.offset = end
	return append(out, more...), err
}

// lines reads whole lines from an offset on.
func (t *tail) lines(f *os.File, offset int64) ([]LogLine, int64, error) {
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, offset, err
	}
	var out []LogLine
	r := bufio.NewReader(f)
	for {
		s, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return out, offset, nil
		}
		if err != nil {
			return out, offset, err
		}
		offset += int64(len(s))
		out = append(out, parseLine(t.id, strings.TrimSuffix(s, "\n")))
	}
}

func parseLine(id, s string) LogLine {
	stamp, text, ok := strings.Cut(s, " ")
	if at, err := time.Parse(logTime, stamp); ok && err == nil {
		return LogLine{ID: id, Time: at, Text: text}
	}
	return LogLine{ID: id, Text: s}
}
