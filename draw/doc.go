// Package draw turns what is ([state.Snapshot]) or what should be ([state.Desired]) into pictures for people: at one
// glance the rooms (namespaces), the bridges and cables between them, and the addresses.
//
// The text form is a graph of rails, as `git log --graph` draws branches: every net is a rail that begins where it is
// named, every room is a row, joined to the rails that it is plugged into. A rail that is passed without being joined
// stays a plain vertical line. A row needs no more width than there are nets open at that place, so a graph of hundreds
// of rooms stays readable; rooms that are alike are folded into one row ("h[1-50]").
//
// The SVG form (see svg) puts boxes into columns and lets cables bend between them only; DOT, Mermaid and JSON are for other
// programs.
//
// The package is pure and its output depends on nothing but its input.
package draw
