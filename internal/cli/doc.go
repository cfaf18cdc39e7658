// Package cli is the command line of warren, written on the facade (package warren) and nothing below it.
//
// Manners, the same for every command:
//
//   - Results go to standard output, everything else (progress, notes, errors) to standard error.
//   - Progress is shown on a terminal only, in one line that is written over; in a pipe there is none.
//   - Colour is used on a terminal only, and not when NO_COLOR is set or TERM is "dumb".
//   - An error is "warren: ...", lower case, no full stop, one line for each problem. What may help follows as "hint: ...".
//   - Exit status 0 is yes, 1 is no or failed, 2 is wrong usage. plan has 0 for nothing to do, 2 for changes, 1 for
//     errors; exec and shell have the command's own, 126 and 127.
//   - --json prints one JSON document (docs/json.md), also when the status is 1.
package cli
