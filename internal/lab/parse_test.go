package lab_test

import (
	"fmt"
	"strings"
	"testing"

	"warren/internal/lab"
)

// A process may call itself anything, ")" and spaces and newlines included.
func FuzzParseStat(f *testing.F) {
	f.Add("sh", 12, uint64(99), []byte("1 (x) S 1"))
	f.Add("a) R 1 (b", 1, uint64(0), []byte(")("))
	f.Fuzz(func(t *testing.T, name string, ppid int, start uint64, junk []byte) {
		line := fmt.Sprintf("4321 (%s) S %d 7 8 %s%d 1 2 3\n", name, ppid, strings.Repeat("0 ", 15), start)
		pid, gotParent, gotStart, ok := lab.ParseStat([]byte(line))
		if !ok || pid != 4321 || gotParent != ppid || gotStart != start {
			t.Fatalf("%q: got %d, %d, %d, %v", line, pid, gotParent, gotStart, ok)
		}
		lab.ParseStat(junk)
	})
}

// Whatever a journal holds, what is whole in it is read, and nothing that was not written.
func FuzzParseJournal(f *testing.F) {
	f.Add([]byte(""), []byte("\n00000000 []\n"))
	f.Add([]byte("garbage"), []byte("\n"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		const record = "\nb3daeaf6 [{\"ns\":\"host\"}]\n"
		alone := lab.ParseJournal([]byte(record))
		if len(alone.Steps) != 1 {
			t.Fatalf("the record is not read: %+v", alone)
		}
		all := lab.ParseJournal([]byte(string(before) + record + string(after)))
		if len(all.Steps) < len(alone.Steps) {
			t.Fatalf("lost between %q and %q", before, after)
		}
	})
}

func TestLockPID(t *testing.T) {
	locks := []byte("1: POSIX  ADVISORY  WRITE 10 00:1a:5678 0 EOF\n" +
		"2: FLOCK  ADVISORY  WRITE 11 00:1a:56780 0 EOF\n" +
		"2: -> FLOCK  ADVISORY  WRITE 13 00:1a:5678 0 EOF\n" +
		"3: FLOCK  ADVISORY  WRITE 12 00:1a:5678 0 EOF\n")
	if got := lab.LockPID(locks, 0, 0x1a, 5678); got != 12 {
		t.Errorf("got %d", got)
	}
	if got := lab.LockPID(nil, 0, 0x1a, 5678); got != 0 {
		t.Errorf("got %d", got)
	}
}
