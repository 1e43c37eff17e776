package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/terminal"
)

// The rules of what relay prints:
//
//   - Standard output carries the result and nothing else: with --output json one JSON object. Without it there is nothing, but for
//     commands that exist to show something, such as status and log: what they show is their result.
//   - Everything else for people goes to standard error, each line after "relay: ", in lower case, without a period at its end; with
//     --quiet only errors.
//   - An error is "relay: error: …", one line for each problem; "relay: hint: …" after it says what to do next.
//   - What a program prints that relay runs goes to standard error as it is.
//   - Colour, wrapping and redrawing are for terminals alone, and not with --plain; no colour with NO_COLOR.
type ui struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	format         format
	quiet, plain   bool
}

// progress tells people what is going on.
func (u *ui) progress(text string, args ...any) {
	if !u.quiet {
		fmt.Fprintf(u.stderr, "relay: %s\n", fmt.Sprintf(text, args...))
	}
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

// show prints the result of a command that exists to show it: the machine's, or a page for people.
func (u *ui) show(v any, lay func(*terminal.Page)) error {
	if u.format == formatJSON {
		return u.result(v)
	}
	page := &terminal.Page{Screen: u.screen()}
	lay(page)
	if _, err := io.WriteString(u.stdout, page.String()); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// screen is what standard output is.
func (u *ui) screen() terminal.Screen { return terminal.Of(u.stdout, u.getenv, u.plain) }

// confirm asks a person. Without one to ask, who runs relay says beforehand that they agree.
func (u *ui) confirm(ctx context.Context, agreed bool, question string) error {
	if agreed {
		return nil
	}
	file, ok := u.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &inputError{fmt.Errorf("%s? nobody can be asked, since standard input is no terminal; give --yes to agree", question)}
	}
	fmt.Fprintf(u.stderr, "relay: %s? [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(file).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case said := <-answer:
		if said == "y" || said == "yes" {
			return nil
		}
	}
	return &review.Refusal{What: "confirmation", Expected: "yes", Found: "no", Remedy: "nothing was changed; run again to be asked again"}
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
