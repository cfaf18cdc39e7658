package warren

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"warren/internal/lab"
)

// defaultWait is how long an edit waits for others; quietWait is how long it does so without a word, for edits are short.
const (
	defaultWait = 2 * time.Minute
	quietWait   = time.Second
)

// lockToEdit locks the lab. It waits for its turn, but not for ever.
func (w *Warren) lockToEdit(ctx context.Context, ed edit) (*lab.Lock, error) {
	name := ed.lab()
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(ed.Wait, defaultWait))
	defer cancel()
	told := make(chan struct{})
	var timer *time.Timer
	o := lab.LockOptions{Create: ed.create, NoWait: w.opt.NoWait || ed.Wait < 0, Waiting: func(h lab.Holder) {
		timer = time.AfterFunc(quietWait, func() {
			defer close(told)
			if now := w.holder(name); now.PID != 0 {
				h = now
			}
			w.event(Event{Lab: name, Phase: "lock", Text: fmt.Sprintf("lab %s is locked by %s, waiting", name, h)})
		})
	}}
	l, err := w.runDir().Lock(ctx, name, o)
	if timer != nil && !timer.Stop() {
		<-told // one event at a time
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		return nil, &editError{fmt.Errorf("lab %s is locked by %s, for longer than %s (hint: --wait 10m waits longer)", name, w.holder(name), cmp.Or(ed.Wait, defaultWait)), ErrLocked}
	case errors.Is(err, lab.ErrLocked):
		return nil, &editError{err, ErrLocked}
	case errors.Is(err, lab.ErrNoLab):
		return nil, noLab(name)
	}
	return l, err
}

// holder is who has the lab's lock now.
func (w *Warren) holder(name string) lab.Holder {
	dir, err := w.runDir().Dir(name)
	if err != nil {
		return lab.Holder{}
	}
	return lab.FindHolder(dir.Path())
}
