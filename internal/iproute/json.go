package iproute

import (
	"bytes"
	"fmt"
)

// A jsonWriter writes JSON with iproute2's spacing.
type jsonWriter struct {
	b      *bytes.Buffer
	depth  int
	pretty bool
	sep    byte // what goes in front of the next thing, 0 = nothing
}

func (j *jsonWriter) newline() {
	if j.pretty {
		j.b.WriteByte('\n')
		for range j.depth {
			j.b.WriteString("    ")
		}
	}
}

func (j *jsonWriter) separate() {
	if j.sep != 0 {
		j.b.WriteByte(j.sep)
	}
	j.sep = ','
}

func (j *jsonWriter) begin(c byte) {
	j.separate()
	j.b.WriteByte(c)
	j.depth++
	j.sep = 0
}

func (j *jsonWriter) end(c byte) {
	j.depth--
	if j.sep != 0 {
		j.newline()
	}
	j.b.WriteByte(c)
	j.sep = ','
}

func (j *jsonWriter) name(name string) {
	j.separate()
	j.newline()
	j.sep = 0
	j.quote(name)
	j.b.WriteByte(':')
	if j.pretty {
		j.b.WriteByte(' ')
	}
}

func (j *jsonWriter) openArray() {
	j.begin('[')
	if j.pretty {
		j.b.WriteByte(' ')
	}
}

func (j *jsonWriter) closeArray() {
	if j.pretty && j.sep != 0 {
		j.b.WriteByte(' ')
	}
	j.sep = 0
	j.end(']')
}

func (j *jsonWriter) openObject()  { j.begin('{') }
func (j *jsonWriter) closeObject() { j.end('}') }

func (j *jsonWriter) raw(format string, v any) {
	j.separate()
	fmt.Fprintf(j.b, format, v)
}

func (j *jsonWriter) str(s string) {
	j.separate()
	j.quote(s)
}

// quote escapes what iproute2 escapes; other bytes go as they are.
func (j *jsonWriter) quote(s string) {
	j.b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\t':
			j.b.WriteString(`\t`)
		case '\n':
			j.b.WriteString(`\n`)
		case '\r':
			j.b.WriteString(`\r`)
		case '\f':
			j.b.WriteString(`\f`)
		case '\b':
			j.b.WriteString(`\b`)
		case '\\':
			j.b.WriteString(`\\`)
		case '"':
			j.b.WriteString(`\"`)
		default:
			j.b.WriteByte(c)
		}
	}
	j.b.WriteByte('"')
}
