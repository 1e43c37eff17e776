package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The rules of what relay prints:
//
//   - Standard output carries the machine's result and nothing else: with --output json one JSON object, without it nothing.
//   - Everything for people goes to standard error, each line after "relay: ", in lower case, without a period at its end.
//   - An error is "relay: error: …", one line for each problem; "relay: hint: …" after it says what to do next.
//   - What a program prints that relay runs goes to standard error as it is.
type ui struct {
	stdout, stderr io.Writer
	format         format
}

// progress tells people what is going on.
func (u *ui) progress(text string, args ...any) {
	fmt.Fprintf(u.stderr, "relay: %s\n", fmt.Sprintf(text, args...))
}

// result prints the machine's result.
func (u *ui) result(v any) error {
	if u.format != formatJSON {
		return nil
	}
	encoder := json.NewEncoder(u.stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// fail prints an error, and a hint if it has one.
func (u *ui) fail(err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(u.stderr, "relay: error: %s\n", strings.TrimRight(line, "\r\n"))
	}
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		fmt.Fprintf(u.stderr, "relay: hint: %s\n", hinted.Hint())
	} else if !is[*workError](err) {
		fmt.Fprintln(u.stderr, "relay: hint: relay --help lists the commands, relay COMMAND --help its flags")
	}
}

// format is the value of --output.
type format string

const formatJSON format = "json"

// String, Set and Type make it a flag.
func (f *format) String() string {
	if *f == "" {
		return "text"
	}
	return string(*f)
}

// Set refuses formats that relay does not have.
func (f *format) Set(s string) error {
	if s != "text" && s != string(formatJSON) {
		return errors.New("must be text or json")
	}
	*f = format(s)
	return nil
}

// Type names the value in the help.
func (f *format) Type() string { return "format" }
