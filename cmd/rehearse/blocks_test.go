//go:build readme

package main

import (
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// block is a block of code below a heading.
type block struct{ heading, language, text string }

// command is one that a block shows after "$ ", and the lines that it shows after it.
type command struct {
	text   string
	output []string
}

// readBlocks returns all blocks of code in their order.
func readBlocks(source []byte) []block {
	var blocks []block
	heading := ""
	for n := goldmark.DefaultParser().Parse(text.NewReader(source)).FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			heading = string(n.Lines().Value(source))
		case *ast.FencedCodeBlock:
			blocks = append(blocks, block{heading, string(n.Language(source)), strings.TrimRight(string(n.Lines().Value(source)), "\n")})
		}
	}
	return blocks
}

func (b block) commands() []command {
	var commands []command
	for line := range strings.SplitSeq(b.text, "\n") {
		if typed, ok := strings.CutPrefix(line, "$ "); ok {
			commands = append(commands, command{text: typed})
		} else if last := len(commands) - 1; last >= 0 {
			commands[last].output = append(commands[last].output, line)
		}
	}
	return commands
}
