package rehearsal

import (
	"path/filepath"

	"github.com/tekpossible/ha-devops/internal/rehearsal/pipelineapi"
)

// Those who have credentials of the account; each name is the access key ID, too. Approver decides on reviews, also for Options.Approve;
// Developer is the author of what people.push commits.
const (
	Approver   = "approver"
	Developer  = "developer"
	machineKey = "rehearsal"

	developerName, developerEmail = "Developer", "developer@example.com"
)

// identities are the ARNs of those who have credentials, by access key ID.
func identities() map[string]string {
	role := func(role, session string) string {
		return "arn:aws:sts::" + account + ":assumed-role/" + role + "/" + session
	}
	return map[string]string{
		machineKey: role("rehearsal", "rehearsal"),
		Approver:   role("Approver", "approver@example.com"),
		Developer:  role("Developer", developerEmail),
	}
}

// Operator is the environment of a person's machine: the account with that person's credentials, GitHub with that person's token, and
// where Pulumi's state and providers are. Anybody besides Approver and Developer has credentials that the account refuses.
func (r *Rehearsal) Operator(who string) ([]string, error) {
	home, err := r.dir("people", who)
	if err != nil {
		return nil, err
	}
	state, err := r.dir("state", r.product)
	if err != nil {
		return nil, err
	}
	env := append(r.machineOf(who), r.pulumi()...)
	return append(env,
		"HOME="+home, "PULUMI_BACKEND_URL=file://"+filepath.ToSlash(state), "RELAY_PRODUCT="+r.product,
		"RELAY_GITHUB_OWNER="+Owner, "RELAY_GITHUB_API="+r.people.url+"/api/v3/",
		"GITHUB_TOKEN="+map[string]string{Approver: ReviewerToken, Developer: DeveloperToken}[who],
	), nil
}

// servePipelines adds the APIs of CodePipeline and CodeBuild to the account.
func (r *Rehearsal) servePipelines() {
	o := pipelineapi.Options{Runner: r.runner, Account: account, Region: region}
	r.aws.Handle("codepipeline", pipelineapi.CodePipeline(o))
	r.aws.Handle("codebuild", pipelineapi.CodeBuild(o))
	r.aws.ServeLogs(pipelineapi.LogFile(r.runner))
}
