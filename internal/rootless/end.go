package rootless

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// endWait is how long killed processes get to be gone.
const endWait = 5 * time.Second

// endProcesses kills every process that has a world's token in its environment: the first line of defence is that nobody else
// has it. A process that cleared its environment stays.
func endProcesses(token string) error {
	mark := []byte("\x00" + worldEnv + "=" + token + ":")
	for end := time.Now().Add(endWait); ; {
		left, err := kill(mark)
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d processes of a world whose holder died do not end", left)
		}
	}
}

// kill kills what it finds, waits a little for each, and returns how many there were.
func kill(mark []byte) (found int, err error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue // gone, or a thread
		}
		// Read after the descriptor is had: the process cannot become another one any more.
		if env, err := os.ReadFile("/proc/" + name + "/environ"); err == nil && bytes.Contains(append([]byte{0}, env...), mark) {
			found++
			if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err == nil {
				_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
				if err != nil && !errors.Is(err, unix.EINTR) {
					found--
				}
			}
		}
		_ = unix.Close(fd)
	}
	return found, nil
}
