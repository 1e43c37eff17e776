package yamledit

import (
	"bytes"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// offset is the place of a line and a column, as the parser counts them: from 1, columns in characters. Behind the last line it is the
// text's end.
func offset(text []byte, line, column int) int {
	at := 0
	for range line - 1 {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	for range column - 1 {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// width is the length of a scalar that begins the text, in bytes; -1 when it does not end on its line. The parser does not say it.
func width(text []byte, node *yaml.Node) int {
	if i := bytes.IndexAny(text, "\r\n"); i >= 0 {
		text = text[:i]
	}
	switch {
	case node.Style&yaml.DoubleQuotedStyle != 0:
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
	case node.Style&yaml.SingleQuotedStyle != 0:
		for i := 1; i < len(text); i++ {
			if text[i] != '\'' {
				continue
			}
			if i+1 == len(text) || text[i+1] != '\'' {
				return i + 1
			}
			i++
		}
	case node.Style == 0 && bytes.HasPrefix(text, []byte(node.Value)):
		return len(node.Value) // plain scalars stand for themselves
	}
	return -1
}

// spellings are how a string may be written: in the style that was there, or in double quotes where that style cannot.
func spellings(value string, style yaml.Style) []string {
	quoted, _ := yaml.Marshal(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value})
	double := string(bytes.TrimRight(quoted, "\n"))
	switch {
	case style&yaml.SingleQuotedStyle != 0:
		return []string{"'" + string(bytes.ReplaceAll([]byte(value), []byte("'"), []byte("''"))) + "'", double}
	case style == 0:
		return []string{value, double}
	}
	return []string{double}
}
