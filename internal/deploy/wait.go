package deploy

import (
	"context"
	"fmt"
	"time"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

const (
	firstPause = 200 * time.Millisecond
	lastPause  = 10 * time.Second
)

// until calls done with growing pauses until it is true or an error, or until a time.
func until(ctx context.Context, ends time.Time, done func() (bool, error), late func() error) error {
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Now().After(ends) {
			return late()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// take waits for the environment's lease, and returns how to give it back.
func (d *Deployment) take(ctx context.Context) (func() error, error) {
	said := ""
	var holder deployment.Lease
	err := until(ctx, time.Now().Add(d.Patience), func() (bool, error) {
		lease, ok, err := d.Records.Take(ctx, d.Lease, func(ctx context.Context, other deployment.Lease) (bool, error) {
			gone, err := d.Owners.Gone(ctx, other)
			if gone {
				d.before = other
			}
			return gone, err
		})
		if ok {
			d.Lease = lease
			return true, nil
		}
		if holder = lease; err == nil && holder.Execution != said {
			said = holder.Execution
			d.Progress("waiting for %s", holder)
		}
		return false, err
	}, func() error {
		return &review.Refusal{
			What: "deployments of " + d.Review.Environment, Expected: "no other one", Found: holder.String(),
			Remedy: fmt.Sprintf("wait for it and retry the stage; when it is gone, relay unlock %s", d.Review.Environment),
		}
	})
	return func() error {
		// What stopped this run must not keep the next one waiting.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return d.Records.Release(ctx, d.Lease)
	}, err
}

// unlocked waits until nobody holds the stack's lock. The lock of a process that is known to have ended is taken away.
func (d Deployment) unlocked(ctx context.Context, ends time.Time) error {
	var held statelock.Lock
	said := ""
	return until(ctx, ends, func() (bool, error) {
		locks, err := d.Locks.List(ctx)
		if err != nil || len(locks) == 0 {
			return err == nil, err
		}
		held = locks[0]
		found, err := d.Owners.OfLock(ctx, held, d.before)
		if err != nil {
			return false, err
		}
		if found.State == owner.Gone {
			d.Progress("the lock of %s is taken away: %s", held, found.Evidence)
			return false, d.Locks.Remove(ctx, held)
		}
		if held.Key != said {
			said = held.Key
			d.Progress("waiting for the stack's lock, held by %s", held)
		}
		return false, nil
	}, func() error {
		return &review.Refusal{
			What: "lock of stack " + d.Review.Environment, Expected: "that it is free", Found: "held by " + held.String(),
			Remedy: fmt.Sprintf("wait for that update and retry the stage; when its owner is gone, relay unlock %s", d.Review.Environment),
		}
	})
}
