// Bench measures warren against the bare system calls in C and against iproute2, in one run:
//
//	go run ./bench                        everything, as root; some twenty minutes
//	go run ./bench -n 50 -rounds 3        something in between
//	go run ./bench -ip                    only the commands of ip, a minute
//	go run ./bench -see                   only snapshot, ls and watch, three minutes
//	go run ./bench -write                 and put the table into bench/README.md
//
// All of it happens in network, mount and process namespaces of its own. What is compared is measured in turn (A B A B), so
// that a machine that gets slower meanwhile is slower for all; what counts is the median, and the ratio of medians.
//
// The opponents are floor.c (the bare system calls), ipbatch.sh (the best that iproute2 does) and ipplain.sh (the way of
// tutorials). They are looked for in the directory that WARREN_BENCH names; without them their rows are left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"warren/internal/kerneltest"
)

// options of a run.
type options struct {
	sizes       []int
	rounds      int
	plainRounds int
	execRounds  int
	calm        int // seconds
	onlyIP      bool
	onlySeeing  bool
	write       bool
}

func main() {
	opt, err := parse()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	kerneltest.Enter()
	if err := run(context.Background(), opt); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse() (options, error) {
	var opt options
	sizes := flag.String("n", "50,200,1000", "sizes of the star, the largest last")
	flag.IntVar(&opt.rounds, "rounds", 10, "rounds of everything but the plain script")
	flag.IntVar(&opt.plainRounds, "plain", 3, "rounds of the plain script, which takes a minute for a thousand nodes")
	flag.IntVar(&opt.execRounds, "exec", 100, "rounds of exec")
	flag.IntVar(&opt.calm, "calm", 10, "seconds of watching after up")
	flag.BoolVar(&opt.onlyIP, "ip", false, "only the comparison with ip")
	flag.BoolVar(&opt.onlySeeing, "see", false, "only snapshot, ls and watch")
	flag.BoolVar(&opt.write, "write", false, "put the table into bench/README.md")
	flag.Parse()
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 2 || n > 60000 {
			return opt, fmt.Errorf("size %q (2 to 60000)", s)
		}
		opt.sizes = append(opt.sizes, n)
	}
	if flag.NArg() > 0 || opt.rounds < 1 || opt.plainRounds < 0 || opt.execRounds < 1 || opt.calm < 1 {
		return opt, errors.New("wrong arguments, see -help")
	}
	return opt, nil
}

func run(ctx context.Context, opt options) error {
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("start it at the top of the repository")
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// Programs are where programs are, on a disk: the temporary directory may be in memory, in single pages.
	if err := os.MkdirAll("dist", 0o755); err != nil {
		return err
	}
	programs, err := os.MkdirTemp("dist", "bench")
	if err == nil {
		programs, err = filepath.Abs(programs)
	}
	if err != nil {
		return err
	}
	defer os.RemoveAll(programs)
	b := &bench{options: opt, ctx: ctx, dir: dir, programs: programs, warren: filepath.Join(programs, "warren")}
	if err := b.command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.warren, "./cmd/warren").Run(); err != nil {
		return fmt.Errorf("build warren: %w", err)
	}
	if err := settle(b.warren); err != nil {
		return fmt.Errorf("install warren: %w", err)
	}
	b.findOpponents()
	if err := b.measure(); err != nil {
		return err
	}
	text := b.table.markdown()
	fmt.Print(text)
	if opt.write {
		return writeReadme("bench/README.md", text)
	}
	return nil
}

// command prepares a program whose errors are shown.
func (b *bench) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.ctx, name, args...)
	cmd.Stderr = os.Stderr
	if name == "go" {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	return cmd
}

// settle writes a program anew in one piece, as "make install" does: see tools/settle.
func settle(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o755)
}

// findOpponents looks for the programs to compare with.
func (b *bench) findOpponents() {
	dir := os.Getenv("WARREN_BENCH")
	if dir == "" {
		dir = filepath.Join("..", "shared", "bench")
	}
	source := filepath.Join(dir, "floor.c")
	if _, err := os.Stat(source); err != nil {
		b.logf("no floor.c, ipbatch.sh and ipplain.sh: set WARREN_BENCH to their directory; rows that need them are left out")
		return
	}
	floor := filepath.Join(b.dir, "floor")
	if err := b.command("cc", "-O2", "-o", floor, source).Run(); err != nil {
		b.logf("floor.c does not build (%v): rows that need it are left out", err)
	} else {
		b.floor = floor
	}
	if _, err := exec.LookPath("ip"); err != nil {
		b.logf("no ip here: rows that need it are left out")
		return
	}
	b.batch, b.plain = filepath.Join(dir, "ipbatch.sh"), filepath.Join(dir, "ipplain.sh")
}

func (b *bench) logf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}
