package plan

// A Status says what became of a step.
type Status uint8

// Statuses.
const (
	NotTried Status = iota
	Done
	Failed
)

// A Report says what became of each step of a plan that was carried out: Status[i] belongs to the i-th step.
type Report struct {
	Status []Status
	// Err is the error of the step that failed, nil when all are done.
	Err error
}

// Hooks are called by whoever carries out a plan. All fields may be nil.
type Hooks struct {
	// Before is called before step i. An error ends the work there, as if the step had failed, with nothing of it done:
	// the seam for error injection, for cancelling and for progress.
	Before func(i int, s Step) error
	// After is called when step i is done.
	After func(i int, s Step)
}
