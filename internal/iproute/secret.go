package iproute

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// secret asks for a word that is not shown, as getpass(3) does: on the terminal, and from standard input where there is none. At the
// end of the input it is empty.
func (s *session) secret(prompt string) string {
	in, out := s.stdio.In, s.stdio.Err
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err == nil {
		defer tty.Close()
		in, out = tty, tty
		fd := int(tty.Fd())
		if before, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
			quiet := *before
			quiet.Lflag &^= unix.ECHO | unix.ISIG
			if unix.IoctlSetTermios(fd, unix.TCSETSF, &quiet) == nil {
				defer func() {
					_ = unix.IoctlSetTermios(fd, unix.TCSETSF, before)
					fmt.Fprintln(out)
				}()
			}
		}
	}
	fmt.Fprint(out, prompt)
	return readLine(in)
}

// readLine reads to the end of a line and no further, so that what follows is left for others.
func readLine(in io.Reader) string {
	var line []byte
	var b [1]byte
	for {
		if n, err := in.Read(b[:]); n == 0 && err != nil || n == 1 && b[0] == '\n' {
			return string(line)
		} else if n == 1 {
			line = append(line, b[0])
		}
	}
}
