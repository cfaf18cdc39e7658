package lab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"warren/plan"
)

const journalFile = "journal"

// A Journal holds the intent of a lab's changes to the host, from before the first of them until all are done or undone.
// What is in a namespace that the lab owns needs none: the namespace is found and removed as a whole.
type Journal struct {
	// Steps are those of every record, oldest first. Each may have been done, or half done, or not.
	Steps []plan.Step
	// Torn: the last record was not wholly written, so nothing of it was begun.
	Torn bool
	// Bad counts records in the middle that do not read back.
	Bad int
}

// Empty reports that nothing was under way.
func (j Journal) Empty() bool { return len(j.Steps) == 0 && j.Bad == 0 }

// WriteJournal adds the intent to carry out steps. When it returns nil the record is on disk. No steps, no record.
func (d Dir) WriteJournal(steps []plan.Step) (err error) {
	if len(steps) == 0 {
		return nil
	}
	data, err := json.Marshal(steps)
	if err != nil {
		return fmt.Errorf("write journal of lab %s: %w", d.lab, err)
	}
	// A record starts with a newline of its own, so that it stands apart from a torn one before it.
	rec := fmt.Appendf(nil, "\n%08x ", crc32.ChecksumIEEE(data))
	rec = append(append(rec, data...), '\n')
	f, err := os.OpenFile(d.file(journalFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("write journal of lab %s: %w", d.lab, err)
	}
	_, err = f.Write(rec)
	err = errors.Join(err, f.Sync(), f.Close(), syncDir(d.path))
	if err != nil {
		return fmt.Errorf("write journal of lab %s: %w", d.lab, err)
	}
	return nil
}

// ReadJournal reads what was under way when the last command ended. A journal that is not there is empty; one that is
// torn or garbage gives what can be read of it. The error is of reading the file.
func (d Dir) ReadJournal() (Journal, error) {
	data, err := os.ReadFile(d.file(journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Journal{}, nil
	}
	if err != nil {
		return Journal{}, fmt.Errorf("read journal of lab %s: %w", d.lab, err)
	}
	return parseJournal(data), nil
}

func parseJournal(data []byte) Journal {
	var j Journal
	whole := len(data) > 0 && data[len(data)-1] == '\n'
	var lines [][]byte
	for line := range bytes.SplitSeq(data, []byte{'\n'}) {
		if len(line) > 0 {
			lines = append(lines, line)
		}
	}
	for i, line := range lines {
		steps, ok := parseRecord(line)
		switch {
		case ok && (whole || i < len(lines)-1):
			j.Steps = append(j.Steps, steps...)
		case i == len(lines)-1:
			j.Torn = true
		default:
			j.Bad++
		}
	}
	return j
}

func parseRecord(line []byte) ([]plan.Step, bool) {
	sum, body, ok := bytes.Cut(line, []byte{' '})
	if !ok || fmt.Sprintf("%08x", crc32.ChecksumIEEE(body)) != string(sum) {
		return nil, false
	}
	var steps []plan.Step
	if json.Unmarshal(body, &steps) != nil {
		return nil, false
	}
	return steps, true
}

// DropJournal forgets what was under way: it is done or undone.
func (d Dir) DropJournal() error {
	err := os.Remove(d.file(journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(d.path)
	}
	if err != nil {
		return fmt.Errorf("drop journal of lab %s: %w", d.lab, err)
	}
	return nil
}
