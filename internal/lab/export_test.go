package lab

// ParseStat tells what was read of a process, for fuzzing.
func ParseStat(data []byte) (pid, ppid int, start uint64, ok bool) {
	st, ok := parseStat(data)
	return st.PID, st.PPID, st.Start, ok
}

// LockPID and ParseJournal are parsers, for tests.
var (
	LockPID      = lockPID
	ParseJournal = parseJournal
)
