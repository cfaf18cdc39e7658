package reachtest_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"warren/reach"
)

// mendsMost bounds how many obstacles stand behind one another.
const mendsMost = 6

// mend runs what the answer to a question offers first, again and again, until the answer is yes, and sends the packet. What is not known
// cannot be mended.
func (v *invention) mend(ctx context.Context, q question) error {
	if q.want == reach.Unknown {
		return nil
	}
	ran := map[string]bool{}
	for range mendsMost {
		got, err := v.raw(ctx, q)
		if err != nil {
			return err
		}
		if got.Reachable == reach.Yes {
			q.want, q.blind = reach.Yes, false
			return v.question(ctx, q)
		}
		cmd := ""
		if got.Reason != nil {
			for _, c := range got.Reason.Fix {
				if cmd == "" && !ran[c] && !strings.HasPrefix(c, "#") && !strings.HasPrefix(c, "warren ") {
					cmd = c
				}
			}
		}
		if cmd == "" {
			return fmt.Errorf("%s -> %s: %s, and nothing more to do\n%s", q.src, q.dst, short(got), walk(got))
		}
		ran[cmd] = true
		run, cancel := context.WithTimeout(ctx, time.Minute)
		out, err := exec.CommandContext(run, "sh", "-c", cmd).CombinedOutput()
		cancel()
		if err != nil {
			return fmt.Errorf("%s -> %s: %s offers %q: %w\n%s", q.src, q.dst, short(got), cmd, err, out)
		}
		names, err := v.names()
		if err == nil {
			err = settle(ctx, v.w, names)
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%s -> %s: %d commands did not help: %v", q.src, q.dst, mendsMost, ran)
}
