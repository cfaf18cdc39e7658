package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"warren"
)

// A progress is the line on the terminal that tells what is going on.
type progress struct {
	known, on bool // on: standard error is a terminal
	width     int
	shown     bool
	last      time.Time
	phase     string
}

// redraw is how often the line is written at most: more would be work for a terminal and nobody's gain.
const redraw = 40 * time.Millisecond

func (a *app) showProgress(e warren.Event) {
	p := &a.progress
	if !p.known {
		p.known = true
		p.width, p.on = terminal(a.Err)
	}
	if !p.on && e.Phase == "lock" { // a person who waits wants to know why, a script's log too
		fmt.Fprintf(a.Err, "note: %s\n", e.Text)
	}
	if !p.on || e.Phase == p.phase && time.Since(p.last) < redraw {
		return
	}
	p.last, p.phase = time.Now(), e.Phase
	line := e.Lab + ": " + e.Phase
	if e.Total > 0 {
		line += fmt.Sprintf(" %d/%d", e.Done, e.Total)
	}
	if e.Text != "" {
		line += " " + e.Text
	}
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	for p.width > 1 && utf8.RuneCountInString(line) >= p.width {
		_, size := utf8.DecodeLastRuneInString(line)
		line = line[:len(line)-size]
	}
	fmt.Fprint(a.Err, "\r\x1b[K"+line)
	p.shown = true
}

// endProgress takes the line away before something else is written.
func (a *app) endProgress() {
	if a.progress.shown {
		fmt.Fprint(a.Err, "\r\x1b[K")
		a.progress.shown = false
	}
}
