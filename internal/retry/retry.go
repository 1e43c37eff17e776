// Package retry is the one policy of relay for calls to the outside: how long one request may take, how often and how long a call is
// tried again, and how pauses grow. What may be tried again is the caller's to say, by marking the error: an error without a mark is
// final, so that nothing is ever repeated by oversight.
//
// The AWS SDK has a retryer of its own; package awsconfig sets it up with the numbers of this one.
package retry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The bounds of one request.
const (
	// DialTimeout is for making a connection.
	DialTimeout = 10 * time.Second
	// AnswerTimeout is for the beginning of an answer; a large body may take longer.
	AnswerTimeout = time.Minute
	// RequestTimeout is for a whole request whose answer is small. A comparison of long histories takes GitHub seconds.
	RequestTimeout = 30 * time.Second
)

// Policy bounds how a call is tried again. Pauses have full jitter: each is random between nothing and a bound that doubles (AWS
// Architecture Blog, "Exponential Backoff And Jitter"), so that those who collided do not collide again.
type Policy struct {
	// Tries is how often the call is made at most; 0 leaves it to Elapsed.
	Tries int
	// Elapsed is how long all tries and pauses take at most.
	Elapsed time.Duration
	// First and Most are the bounds of the first pause and of any. A pause that the other side asked for is kept as it is.
	First, Most time.Duration
}

// Call is the policy for a call that has no effect or the same effect twice. Elapsed allows for a rate limit to pass: a secondary
// limit of GitHub's takes minutes.
func Call() Policy {
	return Policy{Tries: 6, Elapsed: 15 * time.Minute, First: 500 * time.Millisecond, Most: 20 * time.Second}
}

// Race is the policy for a compare-and-swap that others win: there is no end to tries, because each lost one is another's success.
func Race() Policy {
	return Policy{Elapsed: 15 * time.Minute, First: 200 * time.Millisecond, Most: 10 * time.Second}
}

// mark says what may follow an error. The outermost mark counts.
type mark struct {
	error
	again bool
	// after is when the other side allows the next try; zero leaves it to the policy.
	after time.Time
}

func (m *mark) Unwrap() error { return m.error }

// Again marks an error after which the same call may succeed a little later, and may be made without harm.
func Again(err error) error { return &mark{error: err, again: true} }

// After marks an error after which the same call may be made without harm, but not before a time that the other side named.
func After(err error, at time.Time) error { return &mark{error: err, again: true, after: at} }

// Final takes away what an error is marked with.
func Final(err error) error { return &mark{error: err} }

// Do makes the call until it succeeds or there is nothing to hope for: the error has no mark, the tries are used up, or the next one
// would come after the policy's or the context's end, which is then said at once rather than waited for. Its error is final.
func Do[T any](ctx context.Context, p Policy, call func(ctx context.Context) (T, error)) (T, error) {
	var none T
	pauses := backoff.NewExponentialBackOff()
	// The library draws between nothing and twice the interval.
	pauses.RandomizationFactor, pauses.Multiplier = 1, 2
	pauses.InitialInterval, pauses.MaxInterval = p.First/2, p.Most/2
	end := time.Now().Add(p.Elapsed)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	for try := 1; ; try++ {
		value, err := call(ctx)
		if err == nil {
			return value, nil
		}
		var m *mark
		switch {
		case !errors.As(err, &m) || !m.again:
			return none, Final(err)
		case ctx.Err() != nil:
			return none, Final(fmt.Errorf("%w: %w", context.Cause(ctx), err))
		case p.Tries > 0 && try >= p.Tries:
			return none, Final(fmt.Errorf("%w; tried %d times", err, try))
		}
		pause := pauses.NextBackOff()
		if told := time.Until(m.after); told > 0 {
			pause = told
		}
		if next := time.Now().Add(pause); next.After(end) {
			return none, Final(tooLate(err, m.after, try))
		}
		if err := sleep(ctx, pause, err); err != nil {
			return none, Final(err)
		}
	}
}

func tooLate(err error, after time.Time, tries int) error {
	if wait := time.Until(after); wait > 0 {
		return fmt.Errorf("%w; possible again at %s, in %s, which is too long to wait for: run again then", err, after.UTC().Format(time.RFC3339), wait.Round(time.Second))
	}
	return fmt.Errorf("%w; tried %d times, and time is up", err, tries)
}

// noteworthy is the pause that people are told of.
const noteworthy = 2 * time.Second

func sleep(ctx context.Context, pause time.Duration, err error) error {
	if tell, ok := ctx.Value(listener{}).(func(string)); ok && pause > noteworthy {
		tell(fmt.Sprintf("waiting %s before trying again: %s", pause.Round(time.Second), err))
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
}

type listener struct{}

// Tell returns a context under which people are told of every pause of more than 2 seconds, in one line.
func Tell(ctx context.Context, tell func(text string)) context.Context {
	return context.WithValue(ctx, listener{}, tell)
}
