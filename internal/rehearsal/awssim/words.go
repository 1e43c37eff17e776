package awssim

import (
	"errors"
	"strconv"
	"strings"
)

// splitWords splits a setting of a unit into words: at whitespace that is not quoted, with the C escapes of systemd.syntax(7)
// resolved inside and outside of quotes. An escape that is none stays as it is, as systemd leaves it.
func splitWords(s string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  byte
	)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			text, n := unescape(s[i+1:])
			if n == 0 {
				return nil, errors.New("it ends in a backslash")
			}
			word.WriteString(text)
			inWord = true
			i += n
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case quote == 0 && strings.IndexByte(" \t\r\n", c) >= 0:
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// unescape returns what the escape that follows a backslash stands for, and its length; 0 at the end of the text.
func unescape(s string) (string, int) {
	if s == "" {
		return "", 0
	}
	if i := strings.IndexByte(`abfnrtvs\"'`, s[0]); i >= 0 {
		return "\a\b\f\n\r\t\v \\\"'"[i : i+1], 1
	}
	digits, base, skip := 0, 16, 1
	switch {
	case s[0] == 'x':
		digits = 2
	case s[0] == 'u':
		digits = 4
	case s[0] == 'U':
		digits = 8
	case s[0] >= '0' && s[0] <= '7':
		digits, base, skip = 3, 8, 0
	}
	if digits > 0 && len(s) >= skip+digits {
		if code, err := strconv.ParseUint(s[skip:skip+digits], base, 32); err == nil && code != 0 {
			if digits > 3 {
				return string(rune(code)), skip + digits
			}
			if code < 256 {
				return string([]byte{byte(code)}), skip + digits
			}
		}
	}
	return `\` + s[:1], 1
}
