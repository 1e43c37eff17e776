// Package unlock takes away what keeps an environment from being deployed: a deployment's lease and the locks of its stack, with what is
// known of their owners. Whether that is proof enough is decided by the caller.
package unlock

import (
	"context"
	"errors"
	"time"

	"github.com/tekpossible/ha-devops/internal/deployment"
	"github.com/tekpossible/ha-devops/internal/owner"
	"github.com/tekpossible/ha-devops/internal/statelock"
)

// Kind is what is held.
type Kind string

// The kinds.
const (
	// Deployment is the lease of a deployment, from its first look at the state until its rollout has ended.
	Deployment Kind = "deployment"
	// Stack is Pulumi's lock of the stack.
	Stack Kind = "stack"
)

// Holder is one who holds the environment.
type Holder struct {
	Kind Kind `json:"kind"`
	// Name says who it is, Since when it began.
	Name  string    `json:"holder"`
	Since time.Time `json:"since"`
	owner.Finding
	// Removed says that it holds no more.
	Removed bool `json:"removed"`

	lease deployment.Lease
	lock  statelock.Lock
}

// Environment is an environment that may be held.
type Environment struct {
	Records deployment.Records
	Locks   statelock.Locks
	Owners  owner.Owners
}

// Holders are those who hold the environment now: a deployment first, then the locks of the stack.
func (e Environment) Holders(ctx context.Context) ([]Holder, error) {
	lease, held, err := e.Records.Holder(ctx)
	if err != nil {
		return nil, err
	}
	holders := []Holder{}
	if held {
		found, err := e.Owners.OfLease(ctx, lease)
		if err != nil {
			return nil, err
		}
		holders = append(holders, Holder{Kind: Deployment, Name: lease.Name(), Since: lease.Since, Finding: found, lease: lease})
	}
	locks, err := e.Locks.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, lock := range locks {
		found, err := e.Owners.OfLock(ctx, lock, lease)
		if err != nil {
			return nil, err
		}
		holders = append(holders, Holder{Kind: Stack, Name: lock.Name(), Since: lock.Timestamp.UTC(), Finding: found, lock: lock})
	}
	return holders, nil
}

// ErrTaken says that another deployment has taken the lease over meanwhile.
var ErrTaken = errors.New("another deployment has taken the lease over meanwhile")

// Remove takes away what a holder holds, and that alone: neither a lease that was taken over meanwhile, which is ErrTaken, nor a lock
// that came later.
func (e Environment) Remove(ctx context.Context, h *Holder) error {
	if h.Kind == Stack {
		err := e.Locks.Remove(ctx, h.lock)
		h.Removed = err == nil
		return err
	}
	var err error
	if h.Removed, err = e.Records.Revoke(ctx, h.lease); err == nil && !h.Removed {
		return ErrTaken
	}
	return err
}
