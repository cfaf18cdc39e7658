package iproute

import (
	"bytes"
	"fmt"
	"strings"
)

// A printer writes one command's output, as text or as JSON. Every value has a key for the one and a format for the other;
// key "" means text only, format "" JSON only.
type printer struct {
	b     bytes.Buffer
	js    *jsonWriter // nil = text
	color bool
	dark  bool   // the terminal's background
	nl    string // what ends a line within one entry: a newline, or a backslash with -oneline
}

// newPrinter opens the outermost array.
func newPrinter(o *options, color bool) *printer {
	p := &printer{nl: "\n", color: color, dark: color && dark()}
	if o.oneline {
		p.nl = "\\"
	}
	if o.json {
		p.js = &jsonWriter{b: &p.b, pretty: o.pretty}
		p.js.openArray()
	}
	return p
}

// close closes the outermost array.
func (p *printer) close() {
	if p.js != nil {
		p.js.closeArray()
		p.b.WriteByte('\n')
	}
}

func (p *printer) isJSON() bool { return p.js != nil }

// text writes text only.
func (p *printer) text(format string, args ...any) {
	if p.js == nil {
		fmt.Fprintf(&p.b, format, args...)
	}
}

// str writes a string.
func (p *printer) str(key, format, v string) {
	switch {
	case p.js == nil:
		if format != "" {
			p.format(format, v)
		}
	case key != "":
		p.js.name(key)
		p.js.str(v)
	}
}

// format writes a string in a format, which may give it a width.
func (p *printer) format(format, v string) {
	before, after, ok := strings.Cut(format, "%s")
	if !ok {
		fmt.Fprintf(&p.b, format, v)
		return
	}
	p.b.WriteString(before)
	p.b.WriteString(v)
	p.b.WriteString(after)
}

// num writes a number.
func num[T int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64](p *printer, key, format string, v T) {
	switch {
	case p.js == nil:
		if format != "" {
			fmt.Fprintf(&p.b, format, v)
		}
	case key != "":
		p.js.name(key)
		p.js.raw("%d", v)
	}
}

// hexa writes a number that is a hexadecimal string in JSON.
func (p *printer) hexa(key, format string, v uint64) {
	switch {
	case p.js == nil:
		if v == 0 {
			format = strings.Replace(format, "%#x", "%d", 1) // as the C library has it
		}
		fmt.Fprintf(&p.b, format, v)
	case key != "":
		p.js.name(key)
		if v == 0 {
			p.js.str("0")
			return
		}
		p.js.str(fmt.Sprintf("0x%x", v))
	}
}

// null writes a key that says all: a word in text.
func (p *printer) null(key, text string) {
	if p.js == nil {
		p.b.WriteString(text)
		return
	}
	p.js.name(key)
	p.js.raw("%s", "null")
}

// is writes a key that is true when it is there, a word in text.
func (p *printer) is(key, text string) { p.boolean(key, text, true) }

// boolean writes true or false, in text always the same.
func (p *printer) boolean(key, text string, v bool) {
	if p.js == nil {
		p.b.WriteString(text)
		return
	}
	if key != "" {
		p.js.name(key)
		p.js.raw("%t", v)
	}
}

// onOff writes a switch: "KEY on " in text.
func (p *printer) onOff(key, format string, v bool) {
	if p.js != nil {
		p.boolean(key, "", v)
		return
	}
	word := "off"
	if v {
		word = "on"
	}
	fmt.Fprintf(&p.b, format, word)
}

// item writes an element of an array.
func (p *printer) item(format, v string) {
	if p.js == nil {
		p.format(format, v)
		return
	}
	p.js.str(v)
}

func (p *printer) openObject(key string) {
	if p.js != nil {
		if key != "" {
			p.js.name(key)
		}
		p.js.openObject()
	}
}

func (p *printer) closeObject() {
	if p.js != nil {
		p.js.closeObject()
	}
}

func (p *printer) openArray(key, text string) {
	if p.js == nil {
		p.b.WriteString(text)
		return
	}
	if key != "" {
		p.js.name(key)
	}
	p.js.openArray()
}

func (p *printer) closeArray(text string) {
	if p.js == nil {
		p.b.WriteString(text)
		return
	}
	p.js.closeArray()
}
