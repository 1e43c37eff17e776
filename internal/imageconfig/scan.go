package imageconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tidwall/gjson"
)

// document is the root object with the places of its members, which is what an edit in place needs.
type document struct {
	data     []byte
	open     int // index of the opening brace; -1 when the file is empty
	members  []member
	software *member
}

type member struct {
	name       string
	keyAt      int // index of the key's opening quote
	start, end int // the value is data[start:end]
	value      gjson.Result
}

func (d *document) member(name string) *member {
	for i := range d.members {
		if d.members[i].name == name {
			return &d.members[i]
		}
	}
	return nil
}

// scan checks the file as a whole and finds the root's members. The keys that relay reads must be there only once: with two
// of them, which one counts depends on the reader.
func scan(data []byte) (*document, error) {
	doc := &document{data: data, open: -1}
	if len(bytes.TrimSpace(data)) == 0 {
		return doc, nil
	}
	var problems problems
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		problems.add("line 1", "begins with a byte order mark; save the file as UTF-8 without BOM")
	} else if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		line := 1
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			line += bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		}
		problems.add(fmt.Sprintf("line %d", line), "is not JSON: %v", err)
	} else if root := gjson.ParseBytes(data); !root.IsObject() {
		problems.add("line 1", "%.40s: must be an object in braces", root.Raw)
	} else {
		doc.open = root.Index
		root.ForEach(func(key, value gjson.Result) bool {
			doc.members = append(doc.members, member{
				name: key.String(), keyAt: key.Index, start: value.Index, end: value.Index + len(value.Raw), value: value,
			})
			return true
		})
		seen := map[string]bool{}
		for _, m := range doc.members {
			if seen[m.name] && (m.name == "software" || m.name == "image") {
				problems.add(m.name, "the key is there twice; keep one")
			}
			seen[m.name] = true
		}
	}
	if problems != nil {
		return nil, &InvalidError{Problems: problems}
	}
	doc.software = doc.member("software")
	return doc, nil
}
