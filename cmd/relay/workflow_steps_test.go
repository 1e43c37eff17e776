package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/tekpossible/ha-devops/pipelines"
)

// runner runs the scripts of steps as GitHub's runners do (GitHub Docs, "Workflow syntax", jobs.<job_id>.steps[*].shell).
type runner struct {
	t   *testing.T
	dir string
	env []string
}

// newRunner has programs of its own on its PATH, which are bash scripts.
func newRunner(t *testing.T, programs map[string]string) *runner {
	r := &runner{t: t, dir: t.TempDir()}
	fakes := filepath.Join(r.dir, "fakes")
	require.NoError(t, os.Mkdir(fakes, 0o755))
	for name, script := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(fakes, name), []byte("#!/usr/bin/env bash\nset -euo pipefail\n"+script), 0o755))
	}
	r.set("PATH", fakes+":"+os.Getenv("PATH"))
	r.set("STATE", filepath.Join(r.dir, "state"))
	r.set("RUNNER_TEMP", r.dir)
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		r.set(name, filepath.Join(r.dir, name))
	}
	r.set("GITHUB_REPOSITORY", "acme/shop")
	return r
}

func (r *runner) set(name, value string) { r.env = append(r.env, name+"="+value) }

func (r *runner) run(script string) (string, error) {
	file := filepath.Join(r.dir, "step.sh")
	require.NoError(r.t, os.WriteFile(file, []byte(script), 0o600))
	cmd := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", file)
	cmd.Env = r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r *runner) read(name string) string {
	content, err := os.ReadFile(filepath.Join(r.dir, name))
	require.NoError(r.t, err)
	return string(content)
}

// script is the script of a step, by its ID or name, in a workflow of a repository ("" for this one).
func script(t *testing.T, role pipelines.Role, file, name string) string {
	t.Helper()
	key := ".github/workflows/" + file
	if role != "" {
		key = string(role) + ":" + key
	}
	var w workflow
	require.NoError(t, yaml.Unmarshal([]byte(workflows(t)[key]), &w))
	for _, job := range w.Jobs {
		for _, step := range job.Steps {
			if step.Run != "" && (step.ID == name || step.Name == name) {
				return step.Run
			}
		}
	}
	t.Fatalf("%s has no step %s", key, name)
	return ""
}

// comments is the part of the GitHub CLI that keeps a pull request's comments, in $STATE (gh manual, gh api).
const comments = `
[[ $1 == api ]]; shift
method=GET path= filter=. body=
while (($#)); do case $1 in
  --paginate | --silent) shift ;;
  --method) method=$2; shift 2 ;;
  --jq) filter=$2; shift 2 ;;
  --field) [[ $2 == body=@* ]]; body=${2#body=@}; shift 2 ;;
  *) path=$1; shift ;;
esac; done
case "$method $path" in
  "GET repos/acme/shop/issues/7/comments?per_page=100") jq -r "$filter" "$STATE" ;;
  "POST repos/acme/shop/issues/7/comments")
    jq --rawfile body "$body" '. + [{id: (length + 100), user: {login: "github-actions[bot]"}, body: $body}]' "$STATE" > "$STATE.new" ;;
  "PATCH repos/acme/shop/issues/comments/"*)
    jq --rawfile body "$body" --argjson id "${path##*/}" 'map(if .id == $id then .body = $body else . end)' "$STATE" > "$STATE.new" ;;
  *) echo "gh: $method $path is not known" >&2; exit 1 ;;
esac
if [[ -e $STATE.new ]]; then mv "$STATE.new" "$STATE"; fi
`

func TestAPullRequestHasOneComment(t *testing.T) {
	for name, c := range map[string]struct {
		role      pipelines.Role
		variables []string
	}{
		"infrastructure": {pipelines.Infrastructure, []string{"REPORT"}},
		"devops":         {"", []string{"DEV", "QA", "MAIN"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, map[string]string{"gh": comments})
			r.set("NUMBER", "7")
			r.set("RUN", "https://github.com/acme/shop/actions/runs/1")
			step := script(t, c.role, "preview.yml", "Comment")
			marker, _, _ := strings.Cut(step[strings.Index(step, "<!--"):], "'")
			strangers := fmt.Sprintf(`[{"id": 1, "user": {"login": "kim"}, "body": "%s mine"}, {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "other"}]`, marker)
			require.NoError(t, os.WriteFile(filepath.Join(r.dir, "state"), []byte(strangers), 0o600))
			for i, report := range []string{"first `$(exit 1)` \"report\"\n\n```\n</details>", "second", ""} {
				for _, variable := range c.variables {
					r.set(variable, report)
				}
				out, err := r.run(step)
				require.NoError(t, err, out)
				var all []struct {
					ID   int
					Body string
				}
				require.NoError(t, json.Unmarshal([]byte(r.read("state")), &all))
				require.Len(t, all, 3, "it is rewritten")
				assert.Equal(t, marker+" mine", all[0].Body)
				assert.Equal(t, "other", all[1].Body)
				body := all[2].Body
				assert.True(t, strings.HasPrefix(body, marker+"\n"), body)
				assert.Contains(t, body, "(https://github.com/acme/shop/actions/runs/1)")
				want := [][]string{{"$(exit 1)` \"report\""}, {"second"}, {"The preview failed."}}[i]
				for _, text := range want {
					assert.Equal(t, len(c.variables), strings.Count(body, text), body)
				}
				if name == "devops" {
					assert.Equal(t, 3, strings.Count(body, "\n</details>\n"), "nothing in a preview ends its block")
				}
			}
		})
	}
}

// bucket is the part of the AWS CLI that the workflows use: objects lie below $STATE, and one parameter is there.
const bucket = `
case "$*" in
  "s3 cp --only-show-errors s3://"*) cp "$STATE/${4#s3://}" "$5" ;;
  "ssm get-parameter --name /shop/dev/config --query Parameter.Value --output text") echo '{"product":"shop"}' ;;
  *) echo "aws: $* is not known" >&2; exit 1 ;;
esac
`

// told puts tools into the bucket and returns what the checks are told about them.
func told(t *testing.T, r *runner, tools map[string]string) pipelines.Facts {
	t.Helper()
	f := pipelines.Facts{Product: "shop", Environment: "dev"}
	require.NoError(t, os.MkdirAll(filepath.Join(r.dir, "state", "tools"), 0o755))
	for name, text := range tools {
		require.NoError(t, os.WriteFile(filepath.Join(r.dir, "state", "tools", name), []byte(text), 0o600))
		tool := pipelines.Tool{URI: "s3://tools/" + name, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(text)))}
		switch name {
		case "relay":
			f.Relay = tool
		case "pulumi":
			f.Pulumi = tool
		default:
			f.Plugins = append(f.Plugins, pipelines.Plugin{Name: name, Version: "1.2.3", Tool: tool})
		}
	}
	return f
}

func TestToolsAreFetchedAndTheirDigestsChecked(t *testing.T) {
	const pulumi = "#!/usr/bin/env bash\n" + `echo "$@" >> "$STATE/installed"` + "\n"
	for name, c := range map[string]struct {
		step, file string
		tools      map[string]string
	}{
		"check":            {"Fetch relay", "check.yml", map[string]string{"relay": "one"}},
		"preview":          {"Fetch the tools that the pipelines run", "preview.yml", map[string]string{"relay": "one", "pulumi": pulumi, "aws": "plugin"}},
		"preview, minimal": {"Fetch the tools that the pipelines run", "preview.yml", map[string]string{"relay": "one"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, map[string]string{"aws": bucket})
			f := told(t, r, c.tools)
			r.set("RELAY", pipelines.NewChecks(f, "arn:role", "s3://state").String())
			step := script(t, pipelines.Infrastructure, c.file, c.step)
			out, err := r.run(step)
			require.NoError(t, err, out)
			assert.Equal(t, "one", r.read("bin/relay"))
			info, err := os.Stat(filepath.Join(r.dir, "bin", "relay"))
			require.NoError(t, err)
			assert.NotZero(t, info.Mode()&0o100)
			assert.Equal(t, filepath.Join(r.dir, "bin")+"\n", r.read("GITHUB_PATH"))
			if c.tools["aws"] != "" {
				assert.Contains(t, r.read("state/installed"), "plugin install resource aws 1.2.3 --reinstall --file ")
				assert.Equal(t, "plugin", r.read("plugin-aws"))
			}
			for tool := range c.tools {
				require.NoError(t, os.WriteFile(filepath.Join(r.dir, "state", "tools", tool), []byte("another"), 0o600))
				out, err = r.run(step)
				assert.Error(t, err, "%s is not what was pinned", tool)
				assert.Contains(t, out, "FAILED")
				require.NoError(t, os.WriteFile(filepath.Join(r.dir, "state", "tools", tool), []byte(c.tools[tool]), 0o600))
			}
		})
	}
}

func TestAFailedReviewIsReportedAndFails(t *testing.T) {
	const relay = `
[[ $* == "review --dry-run --report markdown" && $RELAY_CONFIG == '{"product":"shop"}' ]]
printf 'two findings\nreport<<x\n'
exit "$STATUS"
`
	for _, status := range []string{"0", "1"} {
		r := newRunner(t, map[string]string{"aws": bucket, "relay": relay})
		r.set("RELAY", pipelines.NewChecks(told(t, r, nil), "arn:role", "s3://state").String())
		r.set("STATUS", status)
		out, err := r.run(script(t, pipelines.Infrastructure, "preview.yml", "review"))
		assert.Equal(t, status == "0", err == nil, out)
		output := strings.Split(strings.TrimSuffix(r.read("GITHUB_OUTPUT"), "\n"), "\n")
		end := strings.TrimPrefix(output[0], "report<<")
		assert.Len(t, end, 32, "nobody guesses where the report ends")
		assert.Equal(t, []string{"two findings", "report<<x", "", end}, output[1:])
		assert.Equal(t, "two findings\nreport<<x\n", r.read("GITHUB_STEP_SUMMARY"))
	}
}
