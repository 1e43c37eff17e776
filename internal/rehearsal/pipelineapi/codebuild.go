package pipelineapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/rehearsal/awssim"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// CodeBuild answers requests for the service "codebuild", which are only to read.
func CodeBuild(o Options) http.Handler {
	b := builds{o}
	return awssim.JSONService("codebuild", map[string]awssim.JSONAction{
		"BatchGetBuilds":       awssim.Taught(b.get),
		"ListBuildsForProject": awssim.Taught(b.list),
	})
}

type builds struct{ Options }

type batchGetBuilds struct{ IDs []string }

// get describes builds by ID or ARN.
func (b builds) get(_ string, in batchGetBuilds) (any, error) {
	if len(in.IDs) < 1 || len(in.IDs) > 100 {
		return nil, awssim.Refuse("InvalidInputException", "there are %d ids; expected 1 to 100", len(in.IDs))
	}
	all := b.Runner.Builds()
	found, missing := []object{}, []string{}
	for _, id := range in.IDs {
		i := slices.IndexFunc(all, func(one runner.Build) bool { return one.ID == id || b.arn(one) == id })
		if i < 0 {
			missing = append(missing, id)
			continue
		}
		found = append(found, b.describe(all[i]))
	}
	return object{"builds": found, "buildsNotFound": missing}, nil
}

func (b builds) arn(one runner.Build) string {
	return fmt.Sprintf("arn:aws:codebuild:%s:%s:build/%s", b.Region, b.Account, one.ID)
}

func (b builds) describe(one runner.Build) object {
	return object{
		"id": one.ID, "arn": b.arn(one), "buildNumber": one.Number, "projectName": one.Project,
		"initiator": "codepipeline/" + one.Pipeline, "buildStatus": one.Status, "buildComplete": !one.Ended.IsZero(),
		"currentPhase": one.Phase, "startTime": seconds(one.Started), "logs": object{
			"deepLink": logURL(one.LogFile), "groupName": logGroup(one), "streamName": logStream(one),
		},
	}.with(object{"endTime": one.Ended, "resolvedSourceVersion": one.Commit, "sourceVersion": one.Commit})
}

// Where CodeBuild writes a build's log by default: AWS CodeBuild User Guide, "View build details".
func logGroup(one runner.Build) string { return "/aws/codebuild/" + one.Project }

func logStream(one runner.Build) string {
	_, stream, _ := strings.Cut(one.ID, ":")
	return stream
}

// LogFile finds the file of a build's log in CloudWatch Logs, for awssim's ServeLogs.
func LogFile(r *runner.Runner) func(group, stream string) (path string, begun time.Time, found bool) {
	return func(group, stream string) (string, time.Time, bool) {
		for _, one := range r.Builds() {
			if logGroup(one) == group && logStream(one) == stream {
				return one.LogFile, one.Started, true
			}
		}
		return "", time.Time{}, false
	}
}

type listBuildsForProject struct{ ProjectName, NextToken, SortOrder string }

// list names the builds of a project, newest first unless it is asked for another order.
func (b builds) list(_ string, in listBuildsForProject) (any, error) {
	if !b.Runner.HasProject(in.ProjectName) {
		return nil, awssim.Refuse("ResourceNotFoundException", "there is no project %q", in.ProjectName)
	}
	var ids []string
	for _, one := range b.Runner.Builds() {
		if one.Project == in.ProjectName {
			ids = append(ids, one.ID)
		}
	}
	if in.SortOrder != "ASCENDING" {
		slices.Reverse(ids)
	}
	ids, next, err := page(ids, func(id string) string { return id }, in.NextToken, nil, 100)
	if err != nil {
		return nil, err
	}
	return object{"ids": append([]string{}, ids...)}.with(object{"nextToken": next}), nil
}
