package imageconfig

import (
	"bytes"
	"encoding/json"
	"slices"
)

// SetSoftware returns the file with the key software set, every other byte as it was; an empty or missing (nil) file becomes
// a new one. When the key already says the same, the bytes are the ones given. The error is an *InvalidError.
//
// It splices at the places that gjson finds: sjson writes a key that is not there yet without regard to line ends, and looks
// keys up by their escaped form.
func SetSoftware(data []byte, software Software) ([]byte, error) {
	if problems := software.problems(); problems != nil {
		return nil, &InvalidError{Problems: problems}
	}
	doc, err := scan(data)
	if err != nil {
		return nil, err
	}
	style := doc.style()
	switch {
	case doc.open < 0:
		return []byte("{\n  \"software\": " + style.value(software) + "\n}\n"), nil
	case doc.software != nil:
		if says(doc.software, software) {
			return data, nil
		}
		return splice(data, doc.software.start, doc.software.end, style.value(software)), nil
	case len(doc.members) == 0:
		text := style.before + `"software": ` + style.value(software)
		inside, _, _ := bytes.Cut(data[doc.open:], []byte("}"))
		if !bytes.Contains(inside, []byte("\n")) {
			text += "\n"
		}
		return splice(data, doc.open+1, doc.open+1, text), nil
	default:
		end := doc.members[len(doc.members)-1].end
		return splice(data, end, end, ","+style.before+`"software": `+style.value(software)), nil
	}
}

// Others returns all that people own, in one canonical form: the file without the key software, keys sorted, no white space.
func Others(data []byte) ([]byte, error) {
	doc, err := scan(data)
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	if doc.open >= 0 {
		decoder := json.NewDecoder(bytes.NewReader(data))
		// A number's digits stay as they are written; as a float64 two of them could become the same.
		decoder.UseNumber()
		if err := decoder.Decode(&members); err != nil {
			return nil, err
		}
		delete(members, "software")
	}
	return encode(members), nil
}

func says(m *member, software Software) bool {
	var there Software
	decoder := json.NewDecoder(bytes.NewReader([]byte(m.value.Raw)))
	decoder.DisallowUnknownFields()
	return decoder.Decode(&there) == nil && there == software
}

// style is how the file is laid out.
type style struct {
	before string // what stands before a member: a line end and the indent, or one space
	indent string // one step of indent; empty: everything is on one line
}

// style takes the layout of the root's first member, or two spaces where there is none.
func (d *document) style() style {
	if len(d.members) == 0 {
		return style{before: "\n  ", indent: "  "}
	}
	between := d.data[d.open+1 : d.members[0].keyAt]
	last := bytes.LastIndexByte(between, '\n')
	if last < 0 {
		return style{before: " "}
	}
	indent, end := string(between[last+1:]), "\n"
	if last > 0 && between[last-1] == '\r' {
		end = "\r\n"
	}
	return style{before: end + indent, indent: indent}
}

func (s style) value(software Software) string {
	text := encode(software)
	if s.indent != "" {
		var pretty bytes.Buffer
		// The JSON is our own; only foreign JSON makes Indent fail.
		_ = json.Indent(&pretty, text, s.indent, s.indent)
		text = pretty.Bytes()
		if s.before[0] == '\r' {
			text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		}
	}
	return string(text)
}

// encode marshals without HTML escapes; the values are texts, numbers, maps and lists, which always can be.
func encode(v any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func splice(data []byte, from, to int, text string) []byte {
	return slices.Concat(data[:from], []byte(text), data[to:])
}
