package topo

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// Two things that lab files write in flow collections must be kept from the YAML library. A range such as [h[1-50], r] is not
// YAML there, for brackets are syntax, but it is the obvious thing to write. And {publish: [8080:80]} is YAML 1.2, where a
// colon separates only before a blank, but the library takes every colon in a flow map for a separator. Such characters travel
// through it as private ones of the same width in columns.
const (
	hiddenOpen  = "\ue0f1"
	hiddenClose = "\ue0f2"
	hiddenColon = "\ue0f3"
)

var (
	rangeInText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([A-Za-z0-9_\-\x{e0f2}])\[([0-9]+-[0-9]+)\]`) })
	unhide      = sync.OnceValue(func() *strings.Replacer {
		return strings.NewReplacer(hiddenOpen, "[", hiddenClose, "]", hiddenColon, ":")
	})
)

func hide(s string) string {
	if strings.Contains(s, "[") {
		for range 4 { // a[1-2][1-2]: the second follows the first
			t := rangeInText().ReplaceAllString(s, "${1}"+hiddenOpen+"${2}"+hiddenClose)
			if t == s {
				break
			}
			s = t
		}
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8)
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != ':' || i+1 == len(s) || strings.IndexByte(" \t\r\n,[]{}", s[i+1]) >= 0 || i > 0 && strings.IndexByte("\"']}", s[i-1]) >= 0 {
			continue
		}
		b.WriteString(s[from:i])
		b.WriteString(hiddenColon)
		from = i + 1
	}
	b.WriteString(s[from:])
	return b.String()
}

func show(s string) string {
	for i := range len(s) {
		if s[i] == 0xee { // the first byte of all three
			return unhide().Replace(s)
		}
	}
	return s
}

// readTokens does what both Parse and Format begin with: bounds, then tokens.
func readTokens(p *problems, data []byte) (token.Tokens, bool) {
	if len(data) > maxFile {
		p.add(Pos{1, 1}, "", "the file has %d bytes, the limit is %d", len(data), maxFile)
		return nil, false
	}
	src := string(data)
	if strings.Contains(src, hiddenOpen) || strings.Contains(src, hiddenClose) || strings.Contains(src, hiddenColon) || strings.ContainsRune(src, 0) {
		p.add(Pos{1, 1}, "", "the file holds a character that no lab file has (a zero byte, U+E0F1 to U+E0F3)")
		return nil, false
	}
	tokens := lexer.Tokenize(hide(src))
	if at, msg := tooDeep(tokens); msg != "" {
		p.add(at, "", "%s", msg)
		return nil, false
	}
	return tokens, true
}

// maxKeys bounds the keys of one map in block style: the YAML library needs quadratic time for them.
const maxKeys = 12_000

// tooDeep bounds the work of the YAML parser before it begins.
func tooDeep(tokens token.Tokens) (Pos, string) {
	type open struct{ column, keys int }
	flow, marks, line, heads := 0, 0, 0, 0
	var blocks []open // collections in block style
	for _, t := range tokens {
		at := Pos{t.Position.Line, t.Position.Column}
		if at.Line != line {
			line, marks = at.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.DocumentHeaderType:
			if heads++; heads > 2 {
				return at, "the file holds more than one document"
			}
		case token.TagType, token.AnchorType, token.MappingKeyType, token.SequenceEntryType, token.MappingValueType:
			if flow > 0 {
				break
			}
			marks++
			if t.Type == token.TagType || t.Type == token.AnchorType || t.Type == token.MappingKeyType {
				break
			}
			c := t.Position.IndentNum
			if t.Type == token.SequenceEntryType {
				c = t.Position.Column
			}
			for len(blocks) > 0 && blocks[len(blocks)-1].column > c {
				blocks = blocks[:len(blocks)-1]
			}
			if len(blocks) == 0 || blocks[len(blocks)-1].column < c {
				blocks = append(blocks, open{column: c})
			}
			if t.Type == token.MappingValueType {
				if blocks[len(blocks)-1].keys++; blocks[len(blocks)-1].keys > maxKeys {
					return at, fmt.Sprintf("a map in this style may hold %d keys", maxKeys)
				}
			}
		}
		if flow+len(blocks) > maxDepth || marks > 4*maxDepth {
			return at, fmt.Sprintf("lists and maps are nested more than %d deep", maxDepth)
		}
	}
	return Pos{}, ""
}
