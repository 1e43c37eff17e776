package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tekpossible/ha-devops/internal/rehearsal"
	"github.com/tekpossible/ha-devops/internal/rehearsal/runner"
)

// visited is a rehearsal that stays up, with a branch "good" and a branch "bad", whose pipeline fails, of each repository.
func visited(t *testing.T) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /merge", func(w http.ResponseWriter, q *http.Request) {
		var m rehearsal.Merge
		assert.NoError(t, json.NewDecoder(q.Body).Decode(&m))
		run := rehearsal.Run{Pipeline: "demo-" + m.Into + "-" + m.Role, Status: runner.Succeeded}
		switch m.Branch {
		case "good":
		case "bad":
			run.Status, run.Reason = runner.Failed, "Build failed: <it> does not compile"
		default:
			http.Error(w, "opening a pull request: there is no branch "+m.Branch, http.StatusUnprocessableEntity)
			return
		}
		merged := rehearsal.Merged{Repository: "demo-" + m.Role, Number: 4, Into: m.Into, Runs: []rehearsal.Run{run}}
		assert.NoError(t, json.NewEncoder(w).Encode(merged))
	})
	mux.HandleFunc("GET /instances/{environment}", func(w http.ResponseWriter, q *http.Request) {
		answers := []rehearsal.Answer{}
		if q.PathValue("environment") == "dev" {
			answers = append(answers, rehearsal.Answer{URL: "http://127.0.0.1:1" + q.FormValue("path"), Text: "<b>Good morning.</b>"})
		}
		assert.NoError(t, json.NewEncoder(w).Encode(answers))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Setenv(rehearsal.VisitVariable, server.URL)
}

func call(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	code = Main(t.Context(), args, strings.NewReader(""), &out, &errs)
	return out.String(), errs.String(), code
}

func TestVisitsInBothFormats(t *testing.T) {
	visited(t)
	for _, c := range []struct {
		command, stdout, stderr string
		code                    int
	}{
		{command: "merge software good", stdout: "pull request 4 of demo-software: checked, approved, merged into dev\ndemo-dev-software          succeeded\n"},
		{
			command: "merge software good --into qa --output json",
			stdout:  `{"repository": "demo-software", "number": 4, "into": "qa", "runs": [{"pipeline": "demo-qa-software", "status": "Succeeded"}]}`,
		},
		{
			command: "merge image bad --output json", code: exitFailed, stderr: "rehearse: error: Build failed: <it> does not compile\n",
			stdout: `{"repository": "demo-image", "number": 4, "into": "dev",
				"runs": [{"pipeline": "demo-dev-image", "status": "Failed", "reason": "Build failed: <it> does not compile"}]}`,
		},
		{command: "merge image none --output json", code: exitFailed, stderr: "rehearse: error: opening a pull request: there is no branch none\n"},
		{command: "ask dev", stdout: "http://127.0.0.1:1/  <b>Good morning.</b>\n"},
		{
			command: "ask dev --path /version --output json",
			stdout:  `{"environment": "dev", "instances": [{"url": "http://127.0.0.1:1/version", "text": "<b>Good morning.</b>"}]}`,
		},
		{command: "ask qa --output json", stdout: `{"environment": "qa", "instances": []}`},
	} {
		t.Run(c.command, func(t *testing.T) {
			stdout, stderr, code := call(t, strings.Fields(c.command)...)
			assert.Equal(t, c.code, code)
			assert.Equal(t, c.stderr, stderr)
			if c.stdout == "" || !strings.HasSuffix(c.command, "json") {
				assert.Equal(t, c.stdout, stdout)
				return
			}
			require.True(t, json.Valid([]byte(stdout)), stdout)
			assert.JSONEq(t, c.stdout, stdout)
			assert.NotContains(t, stdout, "\\u003c", "people read it, too")
		})
	}
}
