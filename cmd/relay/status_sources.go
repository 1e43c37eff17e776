package main

import (
	"context"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/approval"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/history"
	"github.com/tekpossible/ha-devops/internal/pipelinestate"
	"github.com/tekpossible/ha-devops/internal/release"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/status"
	"github.com/tekpossible/ha-devops/pipelines"
)

// place is an environment, with what is asked at most once in one look at it.
type place struct {
	*operator
	hub     *github.Client
	cloud   func() (*cloud, error)
	outputs func() (map[string]string, error)
}

// look opens an environment for one look.
func look(ctx context.Context, o *operator) (*place, error) {
	hub, err := o.github(ctx)
	if err != nil {
		return nil, err
	}
	p := &place{operator: o, hub: hub, cloud: once(ctx, o.cloud)}
	p.outputs = once(ctx, func(ctx context.Context) (map[string]string, error) {
		c, err := p.cloud()
		if err != nil {
			return nil, err
		}
		return c.outputs(ctx)
	})
	return p, nil
}

// source says where the state of an environment comes from. The environment that it is promoted from is nil for the first.
func (p *place) source(upstream *place) status.Source {
	s := status.Source{
		Environment: p.profile.Environment,
		Release: func(ctx context.Context) (*history.Entry, error) {
			return history.Newest(ctx, p.hub, p.repository(pipelines.Infrastructure), p.profile.Environment)
		},
		Deployed: p.deployed,
		Reviews: func(ctx context.Context) ([]approval.Review, error) {
			c, err := p.cloud()
			if err != nil {
				return nil, err
			}
			return c.approvals().Reviews(ctx)
		},
		Promotion: func(_ context.Context, r report.Release) (report.Promotion, error) { return p.promotion(r, upstream) },
		Holds:     p.holds,
	}
	for _, role := range []pipelines.Role{pipelines.Software, pipelines.Image, pipelines.Infrastructure} {
		s.Pipelines = append(s.Pipelines, func(ctx context.Context) (pipelinestate.Pipeline, error) {
			name := p.facts().Pipeline(role)
			c, err := p.cloud()
			if err != nil {
				return pipelinestate.Pipeline{Role: string(role), Name: name, Runs: []pipelinestate.Run{}}, err
			}
			return pipelinestate.Of(ctx, c.pipelines(), c.failures(), string(role), name)
		})
	}
	return s
}

func (p *place) deployed(context.Context) (*status.Deployed, error) {
	found, err := p.outputs()
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &status.Deployed{
		Release: report.Release{
			ArtifactTag: found[environments.OutputArtifactTag], AMI: found[environments.OutputAMI],
			SoftwareCommit: found[environments.OutputSoftwareCommit], ImageCommit: found[environments.OutputImageCommit],
		},
		Commit: found[environments.OutputCommit],
	}, nil
}

// promotion says how a release stands to what upstream's stack says now: the environment's own output is as old as its last deployment.
func (p *place) promotion(r report.Release, upstream *place) (report.Promotion, error) {
	found := report.Promotion{Upstream: p.profile.Upstream}
	var above map[string]string
	var err error
	if upstream != nil {
		if above, err = upstream.outputs(); err != nil {
			found.State = "unknown"
			found.Meaning = environments.PromotionMeaning(p.profile, "")
			return found, err
		}
	}
	found.State = environments.PromotionOf(p.profile, p.config, release.Release{ArtifactTag: r.ArtifactTag}, r.AMI, above)
	found.Meaning = environments.PromotionMeaning(p.profile, found.State)
	return found, nil
}

func (p *place) holds(ctx context.Context) ([]status.Hold, error) {
	holds := []status.Hold{}
	for _, role := range []pipelines.Role{pipelines.Image, pipelines.Infrastructure} {
		file, err := p.hub.ReadFile(ctx, p.repository(role), p.profile.Environment, release.HoldFile)
		if err != nil {
			return holds, err
		}
		if file.Exists {
			holds = append(holds, status.Hold{Repository: p.repository(role), Text: string(file.Content)})
		}
	}
	return holds, nil
}
