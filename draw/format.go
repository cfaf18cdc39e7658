package draw

import "warren/state"

// A Format is a way to write a picture.
type Format string

// Formats.
const (
	FormatText    Format = "text"
	FormatDOT     Format = "dot"
	FormatMermaid Format = "mermaid"
	FormatSVG     Format = "svg"
	FormatJSON    Format = "json"
)

// Formats lists them all.
func Formats() []string { return []string{"text", "dot", "mermaid", "svg", "json"} }

// SnapshotAs draws what is. An unknown format panics: check it with [Formats].
func SnapshotAs(s *state.Snapshot, f Format, o Options) string {
	return write(build(fromSnapshot(s), o), f, o)
}

// DesiredAs draws what should be.
func DesiredAs(d *state.Desired, f Format, o Options) string {
	return write(build(fromDesired(d), o), f, o)
}

func write(g graph, f Format, o Options) string {
	switch f {
	case FormatText, "":
		return text(g, o)
	case FormatDOT:
		return dot(g, o)
	case FormatMermaid:
		return mermaid(g, o)
	case FormatSVG:
		return svg(g, o)
	case FormatJSON:
		return document(g, o)
	default:
		panic("draw: unknown format " + string(f))
	}
}
