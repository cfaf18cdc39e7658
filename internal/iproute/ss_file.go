package iproute

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// tcpFileEnv names a file with the kernel's answer, as recorded by "ss -D", that stands for the sockets of TCP.
const tcpFileEnv = "TCPDIAG_FILE"

// showTCPFile shows recorded sockets. They are all shown: states and families were chosen when they were recorded.
func (s *ss) showTCPFile(path string) {
	s.portsOf = "tcp"
	f, err := os.Open(path)
	if err != nil {
		fmt.Fprintf(s.stdio.Err, "fopen($%s): %s\n", tcpFileEnv, errnoText(err))
		return
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		var head [unix.NLMSG_HDRLEN]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			fmt.Fprintf(s.stdio.Err, "Unexpected EOF reading $%s", tcpFileEnv)
			return
		}
		length := binary.NativeEndian.Uint32(head[:])
		if length < unix.NLMSG_HDRLEN || length > 1<<20 {
			fmt.Fprintln(s.stdio.Err, "ERROR truncated")
			return
		}
		data := make([]byte, (length-unix.NLMSG_HDRLEN+3)&^3)
		if _, err := io.ReadFull(r, data); err != nil {
			fmt.Fprintf(s.stdio.Err, "Unexpected EOF reading $%s", tcpFileEnv)
			return
		}
		switch binary.NativeEndian.Uint16(head[4:]) {
		case unix.NLMSG_DONE:
			return
		case unix.NLMSG_ERROR:
			if len(data) < 4 {
				fmt.Fprintln(s.stdio.Err, "ERROR truncated")
			} else {
				fmt.Fprintf(s.stdio.Err, "TCPDIAG answered: %s\n", strerror(unix.Errno(-int32(binary.NativeEndian.Uint32(data)))))
			}
			return
		}
		i, err := sockdiag.DecodeInet(data, unix.IPPROTO_TCP)
		if err != nil {
			continue
		}
		s.inetSocket(&i, unix.IPPROTO_TCP)
	}
}
