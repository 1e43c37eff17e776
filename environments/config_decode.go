package environments

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// decode reads one value of the configuration: a string as it is, everything else as JSON. Its error names the value and what is
// allowed.
func decode(text string, target any) error {
	if s, ok := target.(*string); ok {
		*s = text
		return nil
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(target)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	expected := shape(reflect.TypeOf(target).Elem())
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		where := ""
		if kind.Field != "" {
			where = kind.Field + ": "
		}
		return fmt.Errorf("%sa %s is not allowed in %q; expected %s", where, kind.Value, shorten(text), shape(kind.Type))
	case err != nil:
		return fmt.Errorf("%s in %q; expected %s", strings.TrimPrefix(err.Error(), "json: "), shorten(text), expected)
	}
	return nil
}

// shape is what a type looks like in the configuration, for people.
func shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return shape(t.Elem())
	case reflect.Slice:
		return "a list of " + plural[t.Elem().Kind()]
	case reflect.Map:
		return "lists by name"
	case reflect.Struct:
		var keys []string
		for i := range t.NumField() {
			key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			keys = append(keys, key)
		}
		slices.Sort(keys)
		return "an object with the keys " + strings.Join(keys, ", ")
	}
	return map[reflect.Kind]string{reflect.String: "a string", reflect.Int: "a whole number", reflect.Bool: "true or false"}[t.Kind()]
}

var plural = map[reflect.Kind]string{reflect.String: "strings", reflect.Int: "whole numbers"}

func shorten(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return strings.TrimSpace(text)
}
