package reachtest_test

import "strings"

// served lists listeners of a room on all its IPv4 addresses: "tcp 80", "udp 53".
func served(room string, list ...string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		proto, port, _ := strings.Cut(s, " ")
		out[i] = room + " " + proto + " 0.0.0.0:" + port
	}
	return out
}

// asked are questions from one room: "10.0.2.2:80 yes", "10.0.2.2 request ~r filter-drop".
func asked(src string, list ...string) []question {
	out := make([]question, len(list))
	for i, s := range list {
		dst, want, _ := strings.Cut(s, " ")
		out[i] = question{src: src, dst: dst, want: want, blind: want == "unknown"}
	}
	return out
}
