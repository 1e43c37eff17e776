package pipelineapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABuildCanBeAskedAfterByItsOwnID(t *testing.T) {
	w := newWorld(t)
	w.project("Review", "export REVIEW_DIGEST=d1; echo $CODEBUILD_BUILD_ID $CODEBUILD_BUILD_ARN > "+w.dir+"/id.new; "+
		"mv "+w.dir+"/id.new "+w.dir+"/id; while ! test -e "+w.dir+"/go; do sleep 0.02; done; test -e "+w.dir+"/good")
	ask := func(id string) (types.Build, []string) {
		out, err := w.builds().BatchGetBuilds(t.Context(), &codebuild.BatchGetBuildsInput{Ids: []string{id, "Review:gone"}})
		require.NoError(t, err)
		require.Len(t, out.Builds, 1)
		return out.Builds[0], out.BuildsNotFound
	}
	execution := w.start()
	own := filepath.Join(w.dir, "id")
	w.eventually(func() bool { _, err := os.Stat(own); return err == nil })
	said, err := os.ReadFile(own)
	require.NoError(t, err)
	id, arn, _ := strings.Cut(strings.TrimSpace(string(said)), " ")

	build, missing := ask(id)
	assert.Equal(t, []string{"Review:gone"}, missing)
	assert.Equal(t, types.StatusTypeInProgress, build.BuildStatus)
	assert.False(t, build.BuildComplete)
	assert.Equal(t, "BUILD", *build.CurrentPhase)
	assert.Nil(t, build.EndTime)
	assert.Equal(t, arn, *build.Arn)
	assert.Equal(t, "codepipeline/"+pipeline, *build.Initiator)
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "go"), nil, 0o600))
	w.eventually(func() bool { build, _ = ask(arn); return build.BuildComplete })
	assert.Equal(t, types.StatusTypeFailed, build.BuildStatus)
	assert.Equal(t, "COMPLETED", *build.CurrentPhase)
	assert.False(t, build.EndTime.Before(*build.StartTime))
	log, found := strings.CutPrefix(*build.Logs.DeepLink, "file://")
	require.True(t, found)
	assert.FileExists(t, log)
	w.eventually(func() bool { return len(w.details(execution)) == 2 && w.details(execution)[0].Status == "Failed" })
	assert.Equal(t, id, *w.details(execution)[0].Output.ExecutionResult.ExternalExecutionId)

	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "good"), nil, 0o600))
	w.asks(w.start())
	list, err := w.builds().ListBuildsForProject(t.Context(), &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("Review")})
	require.NoError(t, err)
	require.Len(t, list.Ids, 2)
	assert.Equal(t, id, list.Ids[1], "newest first")
	build, _ = ask(list.Ids[0])
	assert.Equal(t, types.StatusTypeSucceeded, build.BuildStatus)
	assert.EqualValues(t, 2, *build.BuildNumber)
	_, err = w.builds().ListBuildsForProject(t.Context(), &codebuild.ListBuildsForProjectInput{ProjectName: aws.String("Gone")})
	assert.Equal(t, "ResourceNotFoundException", code(t, err))
	_, err = w.builds().StopBuild(t.Context(), &codebuild.StopBuildInput{Id: &id})
	assert.ErrorContains(t, err, `was not taught the action "StopBuild"`)
}
