package main

import (
	"errors"

	"github.com/tekpossible/ha-devops/internal/bake"
	"github.com/tekpossible/ha-devops/internal/bake/manifest"
	"github.com/tekpossible/ha-devops/internal/decision"
	"github.com/tekpossible/ha-devops/internal/deploy"
	"github.com/tekpossible/ha-devops/internal/imageconfig"
	"github.com/tekpossible/ha-devops/internal/relayfile"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/rollback"
	"github.com/tekpossible/ha-devops/internal/vars"
)

// The exit codes; people and pipelines rely on them.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitRefused    = 3
	exitRolledBack = 4
)

const exitCodes = "Exit status: 0 done, 1 failed, 2 bad usage or bad input (flags, variables, a file of a repository),\n" +
	"3 refused and nothing was changed, 4 failed and rolled back to the last good release."

// exits is what a command promises: when it exits with 0, and which codes it has beside 1 and 2.
func exits(done string, more ...string) string {
	text := "Exit status: 0 if and only if " + done + "; 1 failed; 2 bad usage or bad input"
	for _, one := range more {
		text += "; " + one
	}
	return text + "."
}

const refused = "3 refused and nothing was changed"

// workError is an error of a command's work, in contrast to one of its usage.
type workError struct{ error }

func (e *workError) Unwrap() error { return e.error }

// exitCode is the one place that decides on the exit code, by the type of the error.
func exitCode(err error) int {
	var work *workError
	switch {
	case err == nil:
		return exitDone
	case !errors.As(err, &work), badInput(err):
		return exitUsage
	case is[*deploy.RolledBackError](err):
		return exitRolledBack
	case review.Refused(err):
		return exitRefused
	default:
		return exitFailed
	}
}

func badInput(err error) bool {
	return is[*vars.MissingError](err) || is[*relayfile.InvalidError](err) || is[*imageconfig.InvalidError](err) ||
		is[*manifest.InvalidError](err) || is[*bake.BaseError](err) || is[*rollback.NotFoundError](err) || is[*decision.DigestError](err) || is[*inputError](err)
}

func is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// inputError is bad input that only this package knows of.
type inputError struct{ error }

func (e *inputError) Unwrap() error { return e.error }
