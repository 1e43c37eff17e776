package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
)

// stays are the options of a rehearsal that stays up.
type stays struct {
	stay   string
	byHand []string
}

func (s *stays) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.stay, "stay", "", "stay up until Ctrl-C, and write what a shell needs to work with it to this empty or new `directory`")
	flags.StringSliceVar(&s.byHand, "by-hand", []string{"main"}, "with --stay: the `environments` whose reviews then wait for relay approve")
}

func (s *stays) check(o *options) error {
	problems := []error{empty("--stay", s.stay)}
	if s.stay != "" && o.approve != "auto" {
		problems = append(problems, fmt.Errorf("--approve %s: expected auto with --stay, where --by-hand says which reviews wait for a person", o.approve))
	}
	for _, environment := range s.byHand {
		if !slices.Contains(rehearsal.Environments(), environment) {
			problems = append(problems, fmt.Errorf("--by-hand %q: expected %s", environment, strings.Join(rehearsal.Environments(), ", ")))
		}
	}
	return errors.Join(problems...)
}

const next = `
All of it stays up until Ctrl-C. In another terminal:

  cd %s && source env.sh
  relay status                              # what runs where, and what waits for whom
  git clone -b dev "$SOFTWARE" software      # change it, push it to a branch, and:
  rehearse merge software BRANCH            # a pull request into dev, checked, approved and merged
  rehearse ask dev                          # what the instances answer
  relay promote qa                          # a pull request, which rehearse merge URL merges
`

// until leaves the rehearsal to people until the context ends.
func (s *stays) until(ctx context.Context, r *rehearsal.Rehearsal, stderr io.Writer, path ...string) (err error) {
	remove, err := r.Desk(s.stay, path...)
	if err != nil {
		return fmt.Errorf("--stay %s: %w", s.stay, err)
	}
	defer func() { err = errors.Join(err, remove()) }()
	r.ByHand(s.byHand...)
	fmt.Fprintf(stderr, next, s.stay)
	if len(s.byHand) > 0 {
		fmt.Fprintf(stderr, "  AWS_PROFILE=%s %-19s # reviews of %s wait for the approver\n", rehearsal.Approver, "relay approve "+s.byHand[0]+" DIGEST", strings.Join(s.byHand, ", "))
	}
	fmt.Fprintln(stderr)
	<-ctx.Done()
	return nil
}
