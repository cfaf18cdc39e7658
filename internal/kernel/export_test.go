package kernel

import "warren/state"

// GroupPrograms lists the programs at a control group.
func GroupPrograms(path string) []state.Agent { return groupPrograms(path, path, 0, false) }
