package iproute

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// What is coloured with -color. The values are escape sequences of ECMA-48, for a terminal with a light background.
const (
	colorName  = "\x1b[36m" // of a link
	colorMAC   = "\x1b[33m"
	colorInet  = "\x1b[35m"
	colorInet6 = "\x1b[34m"
	colorUp    = "\x1b[32m"
	colorDown  = "\x1b[31m"
	colorOff   = "\x1b[0m"
)

func colorOfFamily(family int) string {
	switch family {
	case unix.AF_INET:
		return colorInet
	case unix.AF_INET6:
		return colorInet6
	}
	return ""
}

func colorOfState(state uint8) string {
	switch state {
	case 6: // IF_OPER_UP
		return colorUp
	case 2: // IF_OPER_DOWN
		return colorDown
	}
	return ""
}

// colorMode reads "-c", "-color=auto" and the like.
func colorMode(name string) (mode string, ok bool) {
	key, mode, given := strings.Cut(name, "=")
	if !matches(key, "-color") || key == "-" {
		return "", false
	}
	if !given || mode == "" {
		mode = "always"
	}
	return mode, mode == "always" || mode == "auto" || mode == "never"
}

// coloring says whether output is to be coloured.
func (s *session) coloring() bool {
	switch s.opt.color {
	case "always":
		return !s.opt.json
	case "auto":
		f, ok := s.stdio.Out.(*os.File)
		if !ok || s.opt.json {
			return false
		}
		_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
		return err == nil
	}
	return false
}

// dark reports whether the terminal says that its background is dark.
func dark() bool {
	_, background, ok := strings.Cut(os.Getenv("COLORFGBG"), ";")
	if i := strings.LastIndexByte(background, ';'); i >= 0 {
		background = background[i+1:]
	}
	return ok && (background >= "0" && background <= "6" && len(background) == 1 || background == "8")
}

// colored is str with the whole text in a colour.
func (p *printer) colored(color, key, format, v string) {
	if p.js != nil || !p.color || color == "" {
		p.str(key, format, v)
		return
	}
	if format == "" {
		return
	}
	p.inColor(color, func() { p.str(key, format, v) })
}

// coloredItem is item in a colour.
func (p *printer) coloredItem(color, format, v string) {
	if p.js != nil || !p.color {
		p.item(format, v)
		return
	}
	p.inColor(color, func() { p.item(format, v) })
}

func (p *printer) inColor(color string, write func()) {
	if p.dark {
		color = strings.Replace(color, "[", "[1;", 1)
	}
	p.b.WriteString(color)
	write()
	p.b.WriteString(colorOff)
}
