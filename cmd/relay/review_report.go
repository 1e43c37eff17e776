package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/environments"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
	"github.com/tekpossible/ha-devops/internal/report"
	"github.com/tekpossible/ha-devops/internal/review"
	"github.com/tekpossible/ha-devops/internal/stack"
)

// sight is what a review has seen: a preview, and the state and the settings that it belongs to.
type sight struct {
	state         stack.State
	preview       preview.Preview
	plan, encoded []byte
	// mirror are the outputs of the environment that this one must equal.
	mirror  map[string]string
	authors []string
}

// previous is the infrastructure commit that was deployed before.
func (s sight) previous() string { return s.state.Outputs[environments.OutputCommit] }

const (
	// looks is how often a preview is made anew because the state moved under it.
	looks = 5
	// reviewPatience is how long a deployment under way is waited for; the build ends a little later.
	reviewPatience = 2 * time.Hour
)

// look previews a commit on a state that stands still: no deployment is under way, and the state is the same before and after.
func (p *program) look(ctx context.Context, commit string, dry bool, progress func(string, ...any)) (sight, error) {
	var seen sight
	s, err := p.at(ctx, commit)
	if err != nil {
		return seen, err
	}
	for range looks {
		if !dry {
			if err := p.idle(ctx, progress); err != nil {
				return seen, err
			}
		}
		before, err := s.Settle(ctx)
		if err != nil {
			return seen, err
		}
		if seen.preview, err = s.Preview(ctx, p.planFile()); err != nil {
			return seen, err
		}
		if seen.state, err = s.Settle(ctx); err != nil {
			return seen, err
		}
		if seen.state.Digest != before.Digest {
			progress("the stack was updated meanwhile; previewing again")
			continue
		}
		if seen.plan, err = os.ReadFile(p.planFile()); err != nil {
			return seen, err
		}
		if seen.encoded, err = seen.preview.Encode(); err != nil {
			return seen, err
		}
		if p.profile.Mirror != "" {
			seen.mirror, err = s.OutputsOf(ctx, p.profile.Mirror)
		}
		return seen, err
	}
	return seen, fmt.Errorf("stack %s: its state moved during each of %d previews; see who updates it, and release the pipeline again", p.profile.Environment, looks)
}

// idle waits until no deployment of the environment is under way.
func (p *program) idle(ctx context.Context, progress func(string, ...any)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reviewPatience, fmt.Errorf("still not over after %s", reviewPatience))
	defer cancel()
	said := ""
	for pause := time.Second; ; pause = min(2*pause, 15*time.Second) {
		holder, held, err := p.records().Holder(ctx)
		if err != nil {
			return err
		}
		if held {
			held, err = p.standing(ctx, holder)
		}
		if err != nil || !held {
			return err
		}
		if said != holder.Execution {
			said = holder.Execution
			progress("waiting for %s", holder)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", holder, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// report puts together all that the review says, and notes the change's authors.
func (p *program) report(ctx context.Context, seen *sight, commit string, o reviewOptions) (report.Report, error) {
	now := time.Now().UTC().Truncate(time.Second)
	linted, err := p.lint(ctx, *seen, o.dir, now)
	if err != nil {
		return report.Report{}, err
	}
	pulumi, err := stack.Version()
	if err != nil {
		return report.Report{}, err
	}
	r := report.Report{
		Product: p.config.Product, Environment: p.profile.Environment, From: releaseIn(seen.state.Outputs), To: releaseIn(seen.preview.Outputs),
		Preview: seen.preview, Rules: linted.Rules, Findings: linted.Findings, Mirror: p.profile.Mirror,
		Promotion: report.Promotion{
			Upstream: p.profile.Upstream, State: seen.preview.Promotion, Meaning: environments.PromotionMeaning(p.profile, seen.preview.Promotion),
		},
		Digests: []report.Digest{
			{Of: review.PlanFile, SHA256: review.Digest(seen.plan)}, {Of: review.PreviewFile, SHA256: review.Digest(seen.encoded)}, {Of: "state", SHA256: seen.state.Digest},
		},
		Approval: report.Approval{
			Approve: "relay approve " + p.profile.Environment + " DIGEST", Reject: "relay reject " + p.profile.Environment + " DIGEST", Console: p.pipelinePage(),
		},
		Relay: version(), Pulumi: pulumi, Created: now, Expires: now.Add(time.Duration(p.config.Review.Hours) * time.Hour),
	}
	if r.Parity, err = parity(p.profile, *seen); err != nil {
		return r, err
	}
	return r, p.commits(ctx, &r, seen, commit, o.dry)
}

// releaseIn is the release that a stack's outputs name.
func releaseIn(outputs map[string]string) report.Release {
	return report.Release{
		ArtifactTag: outputs[environments.OutputArtifactTag], AMI: outputs[environments.OutputAMI],
		SoftwareCommit: outputs[environments.OutputSoftwareCommit], ImageCommit: outputs[environments.OutputImageCommit],
	}
}

func parity(profile environments.Profile, seen sight) ([]report.Difference, error) {
	there, here := seen.mirror[environments.OutputShape], seen.preview.Outputs[environments.OutputShape]
	if profile.Mirror == "" || there == "" {
		return nil, nil
	}
	return environments.Parity(here, there)
}

// lint holds the preview against the policy, with the exceptions that the commit has.
func (p *program) lint(ctx context.Context, seen sight, dir string, now time.Time) (lint.Result, error) {
	content, err := optional(dir, lint.ExceptionsFile)
	if err != nil {
		return lint.Result{}, err
	}
	var exceptions []lint.Exception
	if content != nil {
		signature, err := optional(dir, lint.SignatureFile)
		if err != nil {
			return lint.Result{}, err
		}
		if exceptions, err = lint.ParseExceptions(content, signature, p.config.Review.ExceptionOwners, now); err != nil {
			return lint.Result{}, &inputError{err}
		}
	}
	return lint.Lint(ctx, lint.Input{
		Environment: p.profile.Environment, Pipeline: true, Preview: seen.preview, Plan: seen.plan, Exceptions: exceptions, Now: now,
	})
}

func optional(dir, name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}

// listed is how many of the software's commits a report lists.
const listed = 50

// commits looks up what the change consists of: the reviewed commit, the software's commits between the two releases, and all authors.
func (p *program) commits(ctx context.Context, r *report.Report, seen *sight, commit string, dry bool) error {
	gh := p.config.GitHub
	own, err := p.hub.LastCommit(ctx, gh.Infrastructure, commit, "")
	if err != nil {
		return err
	}
	r.Commit = p.shown(gh.Infrastructure, own)
	r.Commit.SHA = commit
	authors := map[string]bool{own.Author: true, own.Email: true}
	for _, part := range []struct{ repository, from, to string }{
		{gh.Software, r.From.SoftwareCommit, r.To.SoftwareCommit},
		{gh.Image, r.From.ImageCommit, r.To.ImageCommit},
		{gh.Infrastructure, seen.previous(), commit},
	} {
		if part.from == part.to || part.to == "" {
			continue
		}
		if part.from == "" {
			if part.repository == gh.Software {
				r.SoftwareNote = "the first release of this environment"
			}
			continue
		}
		between, err := p.hub.Between(ctx, part.repository, part.from, part.to)
		if err != nil && dry {
			// A pull request's token sees its own repository alone.
			between, err = github.Comparison{Relation: github.Unknown}, nil
		}
		if err != nil {
			return err
		}
		for _, c := range between.Commits {
			authors[c.Author], authors[c.Email] = true, true
		}
		if part.repository == gh.Software {
			p.software(r, between)
		}
	}
	delete(authors, "")
	for author := range authors {
		seen.authors = append(seen.authors, author)
	}
	slices.Sort(seen.authors)
	return nil
}

// software lists the commits between the two releases, the newest first.
func (p *program) software(r *report.Report, between github.Comparison) {
	switch between.Relation {
	case github.Behind:
		r.SoftwareNote = "the release goes back to an earlier commit of the software"
	case github.Diverged:
		r.SoftwareNote = "the two releases lie on different lines of the software's history; commits that only the new one has"
	case github.Unknown:
		r.SoftwareNote = "the software's commits cannot be listed: its repository does not know one of them, or is not open to this token"
	}
	commits := slices.Clone(between.Commits)
	slices.Reverse(commits)
	for _, c := range commits[:min(len(commits), listed)] {
		r.Software = append(r.Software, p.shown(p.config.GitHub.Software, c))
	}
	r.More = between.Total - len(r.Software)
}

func (p *program) shown(repository string, c github.Commit) report.Commit {
	subject, _, _ := strings.Cut(c.Message, "\n")
	return report.Commit{SHA: c.SHA, Subject: subject, Author: c.Author, URL: p.hub.Web(repository) + "/commit/" + c.SHA}
}
