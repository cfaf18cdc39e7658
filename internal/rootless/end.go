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
	holder := []byte("warren\x00" + holderArg + "\x00")
	for end := time.Now().Add(endWait); ; {
		left, err := kill(func(pid string) bool {
			env, err := os.ReadFile("/proc/" + pid + "/environ")
			if err == nil && bytes.Contains(append([]byte{0}, env...), mark) {
				return true
			}
			// A holder whose record was lost has the token among its arguments.
			args, err := os.ReadFile("/proc/" + pid + "/cmdline")
			return err == nil && bytes.HasPrefix(args, holder) && bytes.HasSuffix(args, []byte("\x00"+token+"\x00"))
		})
		if err != nil || left == 0 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d processes of a world whose holder died do not end", left)
		}
	}
}

// kill kills what belongs, waits a little for each, and returns how many there were.
func kill(belongs func(pid string) bool) (found int, err error) {
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
		if belongs(name) {
			found++
			err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
			if errors.Is(err, unix.EPERM) {
				found-- // another user's, who wrote our token into its arguments
			}
			if err == nil {
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
