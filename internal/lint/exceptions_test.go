package lint_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/lint"
	"github.com/tekpossible/ha-devops/internal/preview"
)

const listener = "aws:lb/listener:Listener::app"

func exception() lint.Exception {
	return lint.Exception{Rule: "plain-http", Resource: listener, Reason: "the certificate is late", Owner: "jane@example.com", Expires: "2026-11-24"}
}

// oldTLS finds one thing, with these exceptions.
func oldTLS(t *testing.T, now time.Time, exceptions ...lint.Exception) []lint.Finding {
	t.Helper()
	p := load(t, "main")
	set(t, p.of(t, listener), "sslPolicy", "ELBSecurityPolicy-2016-08")
	in := p.input(t)
	in.Now, in.Exceptions = now, exceptions
	result, err := lint.Lint(t.Context(), in)
	require.NoError(t, err)
	return result.Findings
}

func TestAnExceptionCoversTheFindingsOfItsRuleOnItsResource(t *testing.T) {
	urn := load(t, "main").of(t, listener).URN
	for _, resource := range []string{listener, "ha-devops:index:AppEnvironment$" + listener, urn} {
		e := exception()
		e.Resource = resource
		findings := oldTLS(t, today, e)
		require.Len(t, findings, 1)
		assert.Equal(t, &e, findings[0].Exception)
		assert.False(t, findings[0].Blocks())
	}
}

func TestAnExceptionForSomethingElseIsANote(t *testing.T) {
	for _, change := range []func(*lint.Exception){
		func(e *lint.Exception) { e.Resource = listener + "-redirect" },
		func(e *lint.Exception) { e.Resource = "app" },
		func(e *lint.Exception) { e.Resource = "Listener::app" },
		func(e *lint.Exception) { e.Rule = "open-ingress" },
	} {
		e := exception()
		change(&e)
		findings := oldTLS(t, today, e)
		require.Len(t, findings, 2)
		assert.True(t, findings[0].Blocks())
		assert.Equal(t, lint.Note, findings[1].Rule.Severity)
		assert.Equal(t, "the exception from "+e.Rule+" for "+e.Resource+", of jane@example.com, matches no finding", findings[1].Message)
	}
}

func TestAnExceptionCountsToTheEndOfItsLastDay(t *testing.T) {
	last := time.Date(2026, 11, 24, 23, 59, 59, 0, time.UTC)
	findings := oldTLS(t, last, exception())
	require.Len(t, findings, 1)
	assert.False(t, findings[0].Blocks())

	findings = oldTLS(t, last.Add(time.Second), exception())
	require.Len(t, findings, 2)
	assert.True(t, findings[0].Blocks())
	assert.Equal(t, "exceptions", findings[1].Rule.ID)
	assert.Contains(t, findings[1].Message, "expired on 2026-11-24")
	assert.False(t, findings[1].Blocks())
}

func TestWhatBlocksComesBeforeWhatIsExcepted(t *testing.T) {
	p := load(t, "main")
	set(t, p.of(t, listener), "sslPolicy", "ELBSecurityPolicy-2016-08")
	p.op(t, "aws:s3/bucketV2:BucketV2::app-access-log", preview.Replace)
	in := p.input(t)
	e := exception()
	e.Rule, e.Resource = "data-loss", "aws:s3/bucketV2:BucketV2::app-access-log"
	in.Exceptions = []lint.Exception{e}
	result, err := lint.Lint(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, result.Findings, 2)
	assert.Equal(t, "plain-http", result.Findings[0].Rule.ID)
	assert.Equal(t, "data-loss", result.Findings[1].Rule.ID)
	assert.NotNil(t, result.Findings[1].Exception)
}
