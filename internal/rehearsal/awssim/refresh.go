package awssim

import (
	"context"
	"slices"
	"time"
)

// The states of a refresh that are simulated.
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
const (
	refreshPending            = "Pending"
	refreshInProgress         = "InProgress"
	refreshSuccessful         = "Successful"
	refreshFailed             = "Failed"
	refreshCancelled          = "Cancelled"
	refreshRollbackInProgress = "RollbackInProgress"
	refreshRollbackSuccessful = "RollbackSuccessful"
	refreshRollbackFailed     = "RollbackFailed"
)

// refresh replaces the instances of a group one by one.
type refresh struct {
	id                   string
	from, to             templateVersion
	autoRollback         bool
	minHealthyPercentage int
	status, reason       string
	replaced, total      int
	start, end           time.Time
	cancel               context.CancelFunc
	done                 chan struct{}
}

func (r *refresh) running() bool { return r.end.IsZero() }

// startRefresh replaces the instances that a group has now. The caller holds the group's ops.
func (a *Account) startRefresh(g *group, from templateVersion, autoRollback bool, minHealthy int) (string, error) {
	ctx, cancel := context.WithCancel(a.ctx)
	a.mu.Lock()
	if n := len(g.refreshes); n > 0 && g.refreshes[n-1].running() {
		a.mu.Unlock()
		cancel()
		return "", refuse("InstanceRefreshInProgress", "an instance refresh of %q is already in progress", g.Name)
	}
	r := &refresh{
		id: newID("refresh"), from: from, to: g.template(), autoRollback: autoRollback, minHealthyPercentage: minHealthy,
		status: refreshPending, start: time.Now(), cancel: cancel, done: make(chan struct{}),
	}
	var stale []*instance
	for _, in := range g.instances {
		if in.template != r.to || from == r.to { // with the same template on both sides it was asked for all of them
			stale = append(stale, in)
		}
	}
	r.total = len(stale)
	g.refreshes = append(g.refreshes, r)
	a.mu.Unlock()
	if !a.spawn(func() { a.refresh(ctx, g, r, stale) }) {
		close(r.done)
		cancel()
		return "", refuse("ServiceUnavailable", "the account is closed")
	}
	a.log("autoscaling", g.Name, "refreshing %d instances", len(stale))
	return r.id, nil
}

func (a *Account) cancelRefresh(g *group) {
	a.mu.Lock()
	running := slices.Clone(g.refreshes)
	a.mu.Unlock()
	for _, r := range running {
		r.cancel()
		<-r.done
	}
}

func (a *Account) refresh(ctx context.Context, g *group, r *refresh, stale []*instance) {
	defer close(r.done)
	defer r.cancel()
	a.setRefresh(g, r, refreshInProgress, "")
	var fresh []*instance
	for _, old := range stale {
		a.mu.Lock()
		gone := !slices.Contains(g.instances, old)
		a.mu.Unlock()
		if gone { // the group was scaled in
			continue
		}
		in, problem := a.replace(ctx, g, old, r.to, "an instance refresh")
		if ctx.Err() != nil {
			a.setRefresh(g, r, refreshCancelled, "a newer change of the group came")
			return
		}
		if problem != "" {
			a.failRefresh(ctx, g, r, fresh, problem)
			return
		}
		fresh = append(fresh, in)
		a.mu.Lock()
		r.replaced++
		a.mu.Unlock()
	}
	a.trim(g) // the group may have been scaled in while an old and its new instance were both there
	a.setRefresh(g, r, refreshSuccessful, "")
}

// failRefresh ends a refresh whose new instance did not become healthy. The old instances that were not replaced yet are
// there still; with auto rollback those that were are replaced back, and the group has its old launch template version again,
// if there is another version to return to.
func (a *Account) failRefresh(ctx context.Context, g *group, r *refresh, fresh []*instance, problem string) {
	if !r.autoRollback || r.from == r.to {
		a.setRefresh(g, r, refreshFailed, problem)
		return
	}
	a.setRefresh(g, r, refreshRollbackInProgress, problem)
	a.mu.Lock()
	g.LaunchTemplateID, g.Version = r.from.id, r.from.version
	a.mu.Unlock()
	for _, in := range fresh {
		if _, again := a.replace(ctx, g, in, r.from, "the rollback of an instance refresh"); again != "" {
			a.setRefresh(g, r, refreshRollbackFailed, problem+"\nand on the way back: "+again)
			return
		}
	}
	a.setRefresh(g, r, refreshRollbackSuccessful, problem)
}

// replace launches an instance and, once it is healthy, ends the old one. Otherwise it ends the new one and says why.
func (a *Account) replace(ctx context.Context, g *group, old *instance, template templateVersion, cause string) (*instance, string) {
	in := a.launch(g, template, cause)
	select {
	case <-in.settled:
	case <-ctx.Done():
		a.terminate(in, cause+" that was cancelled")
		return nil, "cancelled"
	}
	a.mu.Lock()
	health, reason := in.Health, in.Reason
	a.mu.Unlock()
	if health != Healthy {
		a.terminate(in, cause+" in which it did not become healthy")
		return nil, "new instance " + in.ID + " is not healthy: " + reason
	}
	a.terminate(old, cause)
	return in, ""
}

func (a *Account) setRefresh(g *group, r *refresh, status, reason string) {
	a.mu.Lock()
	r.status, r.reason = status, reason
	if status != refreshInProgress && status != refreshRollbackInProgress {
		r.end = time.Now()
	}
	a.mu.Unlock()
	if reason != "" {
		reason = ": " + reason
	}
	a.log("autoscaling", g.Name, "instance refresh %s%s", status, reason)
}
