package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tekpossible/ha-devops/internal/preview"
)

// inline is the length in bytes up to which a list or an object stands on one line.
const inline = 60

// values are a property's values for people; the one that is not there is empty. They differ when the values do, so that "1" and 1 are
// told apart.
func values(p preview.Property) (before, after string) {
	if p.Op != preview.Create {
		before = show(p.Before)
	}
	if p.Op != preview.Delete {
		after = show(p.After)
	}
	if before == after && !reflect.DeepEqual(p.Before, p.After) {
		return encode(p.Before, false), encode(p.After, false)
	}
	return before, after
}

// show is a value for people: a text as it is, a text that holds JSON and whatever is long with indents, the rest as short JSON.
func show(value any) string {
	text, ok := value.(string)
	if !ok {
		short := encode(value, false)
		if len(short) > inline {
			return encode(value, true)
		}
		return short
	}
	text = strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if text == "" {
		return strconv.Quote(value.(string))
	}
	if len(text) > inline && (text[0] == '{' || text[0] == '[') {
		var indented bytes.Buffer
		if json.Indent(&indented, []byte(text), "", "  ") == nil {
			return indented.String()
		}
	}
	return text
}

// encode is a value as JSON, without the escapes for HTML: each renderer escapes in its own way.
func encode(value any, indent bool) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if indent {
		e.SetIndent("", "  ")
	}
	if err := e.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// shorten cuts a text to n characters and says how many are missing.
func shorten(text string, n int) (short string, missing int) {
	count := utf8.RuneCountInString(text)
	if count <= n {
		return text, 0
	}
	return string([]rune(text)[:n]), count - n
}

// oneLine is a text, cleaned, on one line of at most n characters.
func oneLine(text string, n int) string {
	// What is cleaned only gets longer: there is no need to clean more than n.
	short, missing := shorten(strings.Join(strings.Fields(text), " "), n)
	cleaned, more := shorten(clean(short), n)
	if missing+more > 0 {
		return cleaned + "…"
	}
	return cleaned
}

// context is how many characters are kept before the first one in which two values differ.
const context = 10

// focus are two values on one line each, of at most n characters, from shortly before where they begin to differ.
func focus(before, after string, n int) (string, string) {
	a, b := []rune(strings.Join(strings.Fields(before), " ")), []rune(strings.Join(strings.Fields(after), " "))
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if cut := same - context; cut > 1 && max(len(a), len(b)) > n {
		return oneLine("…"+string(a[cut:]), n), oneLine("…"+string(b[cut:]), n)
	}
	return oneLine(string(a), n), oneLine(string(b), n)
}

// isText says that a value has several lines, few enough to be compared one by one.
func isText(value string) bool {
	lines := strings.Count(value, "\n")
	return lines > 0 && lines <= 1_000 && len(value) <= 100_000
}
