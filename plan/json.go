package plan

import "encoding/json"

// MarshalJSON adds the verb, which is only for the reader: UnmarshalJSON takes it from Before and After.
func (s Step) MarshalJSON() ([]byte, error) {
	type plain Step
	return json.Marshal(struct {
		Verb Verb `json:"verb"`
		plain
	}{s.Verb(), plain(s)})
}
