package owner

import (
	"slices"
	"strings"

	"warren/state"
)

// Named finds the containers that somebody means: those of that id, of that name or of a pod of that name (a pod of the
// kubelet's also without its namespace), else those whose id, or whose pod's id, begins so. The containers of one pod that was
// meant are one, the first in the list. The order of a list stays.
func Named(list []state.Container, what string) []state.Container {
	for _, means := range []func(state.Container) (container, pod bool){
		func(c state.Container) (bool, bool) {
			_, short, _ := strings.Cut(c.Pod, "/")
			return c.ID == what || c.Name == what, c.Pod == what || short == what || c.PodID == what
		},
		func(c state.Container) (bool, bool) {
			return isContainerID(c.ID) && strings.HasPrefix(c.ID, what), strings.HasPrefix(c.PodID, what)
		},
	} {
		var found []state.Container
		for _, c := range list {
			container, pod := means(c)
			samePod := func(o state.Container) bool { return o.Kind == c.Kind && o.PodID == c.PodID }
			if container || pod && !slices.ContainsFunc(found, samePod) {
				found = append(found, c)
			}
		}
		if what != "" && len(found) > 0 {
			return found
		}
	}
	return nil
}
