package iproute

import "strings"

// words are the arguments of a command, read from left to right.
type words struct {
	list []string
	at   int
}

// more reports whether there is a word left.
func (w *words) more() bool { return w.at < len(w.list) }

// left is how many words there are, the present one included.
func (w *words) left() int { return len(w.list) - w.at }

// peek is the present word; "" at the end.
func (w *words) peek() string {
	if !w.more() {
		return ""
	}
	return w.list[w.at]
}

// skip goes to the next word, which may not be there.
func (w *words) skip() { w.at++ }

// next goes to the next word, which must be there.
func (w *words) next() string {
	w.at++
	if !w.more() {
		incomplete()
	}
	return w.list[w.at]
}

// take is the present word, which must be there, and goes on.
func (w *words) take() string {
	if !w.more() {
		incomplete()
	}
	w.at++
	return w.list[w.at-1]
}

// rest is what is left.
func (w *words) rest() []string { return w.list[w.at:] }

func incomplete() {
	die("Command line is not complete. Try option \"help\"")
}

// matches reports whether the word is a beginning of the keyword.
func matches(word, keyword string) bool {
	return word != "" && strings.HasPrefix(keyword, word)
}

// A verb is what an object can be told to do; any beginning of its name will do, the first that fits counts.
type verb struct {
	name string
	run  func(*session, *words)
}

// dispatch runs the verb that the present word is a beginning of; the first verb is the default. It reports whether there was
// one.
func dispatch(s *session, w *words, verbs []verb) bool {
	if !w.more() {
		verbs[0].run(s, w)
		return true
	}
	for _, v := range verbs {
		if matches(w.peek(), v.name) {
			w.skip()
			v.run(s, w)
			return true
		}
	}
	return false
}
