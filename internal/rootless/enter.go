package rootless

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/wayout"
)

const (
	// worldEnv is in the environment of every process in a world: TOKEN:DIRECTORY.
	worldEnv = "WARREN_WORLD"
	// enterEnv is for the command that nsenter executes only: the lock's descriptor and the directory to be in, FD:DIR.
	enterEnv = "WARREN_WORLD_ENTER"
	// runDirEnv is the command line's.
	runDirEnv = "WARREN_RUN_DIR"
)

// A Use says what a command needs the world for.
type Use int

const (
	// Make makes the world when there is none.
	Make Use = iota
	// Join does without when there is none.
	Join
)

// A World is one that this process is in. Nil, for root, is fine.
type World struct {
	dir  string
	rec  record
	lock *os.File
}

// Inside reports whether this process is in a world made by this package.
func Inside() bool { return os.Getenv(worldEnv) != "" }

// Directory is that of the world that this process is in, "" when it is in none.
func Directory() string {
	_, dir, _ := strings.Cut(os.Getenv(worldEnv), ":")
	return dir
}

// Enter brings this process into the user's world: it is replaced by the same command (args, with the program's name first)
// inside, with the same PID, descriptors and working directory. It returns nil for root, who has no world (one without the capabilities is told so by what it
// tries), and the world
// when the process is inside already. note tells the user something.
func Enter(args []string, use Use, note func(string)) (*World, error) {
	if os.Geteuid() == 0 {
		if !Inside() {
			return nil, nil
		}
		return arrive()
	}
	nsenter, err := findNsenter()
	if err != nil {
		return nil, err
	}
	dir := directory()
	if use == Join {
		if r, err := readRecord(dir); err != nil || !r.alive() {
			return nil, err
		}
	}
	w, err := hold(dir, note)
	if err != nil {
		return nil, err
	}
	return nil, w.become(nsenter, args)
}

// hold makes sure that there is a world and that it stays: the lock is shared when hold returns.
func hold(dir string, note func(string)) (*World, error) {
	f, err := openLock(dir, unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	for {
		rec, err := readRecord(dir)
		alive := err == nil && rec.alive()
		if alive {
			err = rec.enterable(dir)
		}
		if alive && err == nil {
			if err = wayout.Ensure(rec.outside(dir)); err == nil {
				return &World{dir: dir, rec: rec, lock: f}, nil
			}
			// The holder may have died this moment; then there is a world to make.
			alive = rec.alive()
			if !alive {
				err = nil
			}
		}
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		if f, err = renew(dir, note); f == nil && err == nil {
			f, err = openLock(dir, unix.LOCK_SH)
		}
		if err != nil {
			return nil, err
		}
	}
}

// arrive is the other side of become; and what a command does that was called from a shell in the world.
func arrive() (*World, error) {
	token, dir, _ := strings.Cut(os.Getenv(worldEnv), ":")
	w := &World{dir: dir}
	fd, wd, first := strings.Cut(os.Getenv(enterEnv), ":")
	if err := os.Unsetenv(enterEnv); err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(fd); first && err == nil {
		unix.CloseOnExec(n)
		w.lock = os.NewFile(uintptr(n), lockName)
		if err := os.Chdir(wd); err != nil {
			return nil, fmt.Errorf("an ordinary user's warren has a /run of its own, in which the working directory is missing: %w", err)
		}
	} else {
		if _, err := os.Lstat(dir); err == nil {
			if w.lock, err = openLock(dir, unix.LOCK_SH); err != nil {
				return nil, err
			}
		}
	}
	var err error
	if w.rec, err = readRecord(dir); err != nil {
		return nil, err
	}
	if w.rec.Token != token {
		_ = w.lock.Close()
		return nil, errors.New("the world that this process is in has ended (hint: leave this shell)")
	}
	return w, nil
}

const (
	// lastWait is how long Leave waits for a holder that others may still need.
	lastWait = 2 * time.Second
	// endingWait is how long it waits for one that is ending: it ends what is outside first.
	endingWait = 15 * time.Second
)

// ending reports whether somebody has the lock alone.
func ending(dir string) bool {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(flock(f, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// Leave is a command's last act. When it leaves an empty world behind Leave waits until that has ended, unless others are at
// work there.
func (w *World) Leave() {
	if w == nil || w.lock == nil {
		return
	}
	last := idle(w.dir)
	fd, err := unix.PidfdOpen(w.rec.PID, 0)
	_ = w.lock.Close()
	w.lock = nil
	if err != nil {
		return
	}
	defer unix.Close(fd)
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for start := time.Now(); last; last = idle(w.dir) {
		if took := time.Since(start); took > endingWait || took > lastWait && !ending(w.dir) {
			return
		}
		if n, err := unix.Poll(poll, 20); n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
