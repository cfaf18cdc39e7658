package iproute

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// batch runs the commands of a file, one in a line. It stops at the first that fails, unless -force.
func (s *session) batch(name string) int {
	in := s.stdio.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprintf(s.stdio.Err, "Cannot open file \"%s\" for reading: %s\n", name, errnoText(err))
			return exitFailed
		}
		defer f.Close()
		in = f
	}
	s.inBatch, s.batched = true, new(int)
	result := exitOK
	lines := &lineReader{r: bufio.NewReader(in)}
	for {
		line, ok := lines.next()
		if !ok {
			if lines.unfinished {
				fmt.Fprintln(s.stdio.Err, "Missing continuation line")
			}
			return result
		}
		list, closed := splitLine(line)
		if !closed {
			fmt.Fprintln(s.stdio.Err, "Unterminated quoted string")
			return exitFailed
		}
		if len(list) == 0 {
			continue
		}
		code := s.batchLine(list)
		if s.aborted {
			if code != exitOK {
				s.where(name, lines.n, line)
			}
			return code
		}
		if code != exitOK {
			s.where(name, lines.n, line)
			result = exitFailed
			if !s.opt.force {
				return result
			}
		}
	}
}

// batchLine runs one line. Under our own name a line may start with options of its own, another namespace among them.
func (s *session) batchLine(list []string) int {
	if s.personality != Warren || !strings.HasPrefix(list[0], "-") {
		return s.command(list)
	}
	w := &words{list: list}
	var own options
	if code := s.guard(func() { own = parseOptions(w, Warren) }); code != exitOK {
		return code
	}
	own.force = s.opt.force
	one := s.others[own.netns]
	if one == nil {
		other := *s
		other.ns, other.conn, other.indexes, other.others = nil, nil, nil, nil
		one = &other
		if s.others == nil {
			s.others = map[string]*session{}
		}
		if len(s.others) < mostOpen { // its socket stays open for the lines to come
			s.others[own.netns] = one
		} else {
			defer one.close()
		}
	}
	one.opt = own
	code := one.command(w.rest())
	s.aborted = one.aborted
	return code
}

// mostOpen is how many namespaces a batch keeps open.
const mostOpen = 256

// where says which line it was, and under our own name what was in it.
func (s *session) where(name string, n int, line string) {
	fmt.Fprintf(s.stdio.Err, "Command failed %s:%d\n", name, n)
	if s.personality == Warren {
		fmt.Fprintf(s.stdio.Err, "  %s\n", line)
	}
}

// A lineReader reads lines, joins those that end in a backslash and takes comments away.
type lineReader struct {
	r          *bufio.Reader
	n          int  // of the last physical line
	unfinished bool // the file ended where a line was to go on
}

func (l *lineReader) next() (string, bool) {
	var whole strings.Builder
	for {
		line, err := l.r.ReadString('\n')
		if err != nil && line == "" {
			return "", false
		}
		l.n++
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		joined, more := strings.CutSuffix(line, "\\")
		if !more || err == io.EOF { // a backslash goes with the end of a line
			whole.WriteString(line)
			l.unfinished = false
			return whole.String(), true
		}
		whole.WriteString(joined)
		l.unfinished = true
	}
}

// splitLine cuts a line into words; a word may stand in quotes, which have to be closed.
func splitLine(line string) (list []string, closed bool) {
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" {
			return list, true
		}
		if q := line[0]; q == '\'' || q == '"' {
			word, rest, closed := strings.Cut(line[1:], string(q))
			if !closed {
				return nil, false
			}
			list, line = append(list, word), rest
			continue
		}
		end := strings.IndexAny(line, " \t\r\n")
		if end < 0 {
			return append(list, line), true
		}
		list, line = append(list, line[:end]), line[end:]
	}
}
