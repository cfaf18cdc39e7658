package live

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/probe"
)

// A Place is a namespace to watch.
type Place struct {
	Name   string
	Cookie uint64
	NS     Inside
	// Legacy says which rules of iptables' legacy tables are there; "" = none.
	Legacy string
}

// Options of [Run].
type Options struct {
	Question Question
	// Places are the namespaces of the walk, the source first. Required.
	Places []Place
	// Timeout is how long an answer may take; 0 = 4.5 s, because asking for a neighbour in vain takes three.
	Timeout time.Duration
	// Name finds the names of other namespaces by their cookies; nil or "" = "cookie:N".
	Name func(cookie uint64) string
	// Armed is called when everything is in place and nothing was sent yet; nil = nobody cares.
	Armed func()
}

const (
	defaultTimeout = 4500 * time.Millisecond
	// grace is how long is waited for an answer, or an ICMP error, after the kernel dropped the probe.
	grace = 250 * time.Millisecond
	// patience is the same after a datagram arrived: who listens need not answer.
	patience = 700 * time.Millisecond
	// settle is how long is watched after an answer or an error: of TCP the third packet, which nobody acknowledges, and the
	// drop that the error is about.
	settle = 50 * time.Millisecond
)

// tablePrefix begins the names of our tables.
const tablePrefix = "warren-why-"

// errSeen ends the waiting: what became of the probe was seen.
var errSeen = errors.New("seen")

// attempts is how often a probe is sent again that was lost because queues were full.
const attempts = 3

// Run sends the probe and collects what is seen of it. One that was lost because a queue was full is sent again. The error is for
// a probe that cannot be sent at all; a witness that is missing is in the report's Unseen. Nothing is left behind when it returns.
func Run(ctx context.Context, o Options) (*Report, error) {
	for i := 1; ; i++ {
		r, err := run(ctx, o)
		if err != nil || i == attempts || !r.overloaded() {
			return r, err
		}
	}
}

func run(ctx context.Context, o Options) (*Report, error) {
	if len(o.Places) == 0 {
		return nil, errors.New("live: nothing to watch")
	}
	q := o.Question
	c := &collector{o: o, died: make(chan struct{}), report: &Report{Probe: Probe{
		Proto: protoName(q.Proto), Size: q.Size, Mark: q.Mark, TTL: q.TTL,
	}}}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	c.table = fmt.Sprintf(tablePrefix+"%x", random[8:])
	defer c.close()
	eyes, err := openEyes()
	if err != nil {
		c.blind(ByBPF, "", "no positions below IP and no drop reasons: "+err.Error())
	} else {
		c.eyes = eyes
	}
	c.selfTest(ctx)
	sh, err := aim(o.Places[0].NS, q, binary.BigEndian.Uint64(random[:]))
	if e, ok := errors.AsType[*sendError](err); ok {
		c.report.Answer = refused(e.err, q.Dst)
		c.report.Answer.Detail = "it could not be sent: " + e.Error()
		return c.report, nil
	}
	if err != nil {
		return nil, err
	}
	defer sh.close()
	if err := c.watch(ctx, sh); err != nil {
		return nil, err
	}
	return c.report, nil
}

func protoName(p uint8) string {
	switch p {
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	}
	return "icmp"
}

// A collector gathers what the witnesses tell.
type collector struct {
	o        Options
	report   *Report
	table    string
	eyes     *eyes
	stations []*station

	died chan struct{} // closed when a drop was seen
	once sync.Once

	mu         sync.Mutex
	records    []record
	traces     [][]traced // by station
	neighbours []Neighbour
}

func (c *collector) blind(witness, ns, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := Unseen{witness, ns, text}
	if !slices.Contains(c.report.Unseen, u) {
		c.report.Unseen = append(c.report.Unseen, u)
	}
}

func (c *collector) close() {
	for _, s := range c.stations {
		_ = s.close()
	}
	if c.eyes != nil {
		_ = c.eyes.close()
	}
}

// watch puts the witnesses into place, sends the probe and gathers.
func (c *collector) watch(ctx context.Context, sh *shot) error {
	for _, p := range c.o.Places {
		s := openStation(p.NS, p.Name, c.o.Question.v6(), c.table, selections(sh.flows[0], sh.token))
		s.cookie = p.Cookie
		c.stations = append(c.stations, s)
		for _, u := range s.unseen {
			c.blind(u.Witness, u.Namespace, u.Text)
		}
		if s.trace != nil {
			c.report.Traced = append(c.report.Traced, p.Name)
		}
		if p.Legacy != "" {
			c.blind(ByTrace, p.Name, "rules of "+p.Legacy+" are not traced: that one of them drops a packet is seen, not which")
		}
	}
	c.traces = make([][]traced, len(c.stations))
	for _, t := range sh.flows {
		if c.eyes != nil {
			if err := c.eyes.follow(t); err != nil {
				c.blind(ByBPF, "", err.Error())
			}
		}
	}
	c.report.BPF = c.eyes != nil
	if c.o.Armed != nil {
		c.o.Armed()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	sending, seen := context.WithCancelCause(ctx)
	defer seen(nil)
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	late := &deadline{end: func() { seen(errSeen) }}
	defer late.stop()
	var wait sync.WaitGroup
	c.listen(watching, &wait, sh, late)

	timeout := c.o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	start := monotonic()
	answer := sh.send(sending, timeout)
	c.settle(ctx, &answer)
	for _, s := range c.stations {
		for _, n := range s.asking() {
			c.neighbour(n)
		}
	}
	if own := sh.s.local(); sh.q.Proto == protoTCP && own.Addr().IsValid() && !own.Addr().IsUnspecified() {
		sh.flows = []tuple{{protoTCP, own, sh.flows[0].dst}}
	}
	stop()
	if c.eyes != nil {
		_ = c.eyes.flush()
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	c.finish(sh, start, answer)
	return nil
}

// settle waits for what comes after an answer. An error is often told to the sender before the packet that it is about is put
// away.
func (c *collector) settle(ctx context.Context, answer *probe.Result) {
	if answer.Code == probe.Timeout {
		return
	}
	if !answer.OK && answer.From.IsValid() {
		select {
		case <-ctx.Done():
		case <-c.died:
		case <-time.After(patience):
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(settle):
	}
}

// dropped notes that one was seen: what is still to come comes soon.
func (c *collector) dropped(late *deadline) {
	late.within(grace)
	c.once.Do(func() { close(c.died) })
}

// listen starts a goroutine for each source of news.
func (c *collector) listen(ctx context.Context, wait *sync.WaitGroup, sh *shot, late *deadline) {
	if c.eyes != nil {
		wait.Go(func() {
			for {
				r, ok := c.eyes.read()
				if !ok {
					return
				}
				c.mu.Lock()
				c.records = append(c.records, r)
				c.mu.Unlock()
				if why := c.eyes.reasons.Name(r.reason); r.kind == kindDropped && why != "OTHERHOST" && !overload(why) {
					if p, ok := parse(r.packet); ok && p.quoted == nil {
						c.dropped(late)
					}
				}
			}
		})
	}
	for i, s := range c.stations {
		if s.trace != nil {
			wait.Go(func() {
				err := s.followTrace(ctx, func(t traced) {
					c.mu.Lock()
					c.traces[i] = append(c.traces[i], t)
					c.mu.Unlock()
					switch {
					case t.table == c.table && t.chain == "input" && sh.q.Proto == protoUDP:
						late.within(patience)
					case t.table != c.table && t.verdict == verdictDrop && t.typ != tracedReturn:
						c.dropped(late)
					}
				})
				if err != nil {
					c.blind(ByTrace, s.name, err.Error())
				}
			})
		}
		if s.neigh != nil {
			wait.Go(func() {
				if err := s.followNeighbours(ctx, c.neighbour); err != nil {
					c.blind(ByNeighbour, s.name, err.Error())
				}
			})
		}
	}
}

// neighbour records what became of asking; the last word counts.
func (c *collector) neighbour(n Neighbour) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, o := range c.neighbours {
		if o.Namespace == n.Namespace && o.Link == n.Link && o.IP == n.IP {
			c.neighbours[i] = n
			return
		}
	}
	c.neighbours = append(c.neighbours, n)
}

// A deadline ends something, once, as early as anybody asks for.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	at    time.Time
	end   func()
}

func (d *deadline) within(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := time.Now().Add(t)
	switch {
	case d.timer == nil:
		d.timer, d.at = time.AfterFunc(t, d.end), at
	case at.Before(d.at):
		d.timer.Reset(t)
		d.at = at
	}
}

func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}

// monotonic is the clock of the programs' times.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// finish puts the report together.
func (c *collector) finish(sh *shot, start time.Duration, answer probe.Result) {
	r := c.report
	r.Answer = answer
	r.Probe.Src, r.Probe.Dst = sh.flows[0].src, sh.flows[0].dst
	book := map[uint64]string{}
	for _, s := range c.stations {
		book[s.cookie] = s.name
	}
	name := func(cookie uint64) string {
		if n, ok := book[cookie]; ok {
			return n
		}
		n := ""
		if c.o.Name != nil && cookie != 0 {
			n = c.o.Name(cookie)
		}
		if n == "" {
			n = fmt.Sprintf("cookie:%d", cookie)
		}
		book[cookie] = n
		return n
	}
	a := newAssembly(sh.flows, c.table)
	var where []uint64
	for _, rec := range c.records {
		if rec.kind == kindDropped && !slices.Contains(where, rec.location) {
			where = append(where, rec.location)
		}
	}
	if c.eyes != nil {
		a.functions, a.reason = functions("/proc/kallsyms", where), c.eyes.reasons.Name
	}
	a.records(c.records, start, name)
	for i, s := range c.stations {
		a.trace(s.name, c.traces[i], func(index uint32) string { n, _ := s.links.Name(int(index)); return n })
	}
	r.Events, r.Neighbours = a.events, c.neighbours
}
