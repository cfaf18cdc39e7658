package netns

// What the tests of pure parts look at.
var (
	ContainerOf      = containerOf
	Topmost          = topmost
	ListMounts       = listMounts
	ParseMountPoints = parseMountPoints
	ParseNSMounts    = parseNSMounts
)
