package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tekpossible/ha-devops/internal/rehearsal/githubsim"
	"github.com/tekpossible/ha-devops/internal/release"
)

const stackConfig = `config:
  ha-devops:product: shop
  ha-devops:account: "123456789012"
  ha-devops:region: eu-central-1
  ha-devops:cidr: 10.10.0.0/16
  ha-devops:domain: %[1]s.example.com
  ha-devops:reach: [%[2]s]
  ha-devops:backend: s3://shop-pulumi-state
  ha-devops:secretsKey: arn:aws:kms:eu-central-1:123456789012:key/1
  ha-devops:github: {owner: acme, app: 7, api: %[3]q, secret: %[4]q, software: software, image: image, infrastructure: infrastructure}
  ha-devops:relay: {uri: s3://tools/relay, sha256: "%064[5]d"}
`

func writeConfig(ts *testscript.TestScript, _ bool, args []string) {
	for _, environment := range args {
		reach := map[string]string{"qa": "203.0.113.0/24"}[environment]
		text := fmt.Sprintf(stackConfig, environment, reach, ts.Getenv("RELAY_GITHUB_API"), ts.Getenv("RELAY_GITHUB_SECRET"), 0)
		ts.Check(os.WriteFile(ts.MkAbs("Pulumi."+environment+".yaml"), []byte(text), 0o644))
	}
	ts.Setenv("GITHUB_TOKEN", "kims")
}

func makeBranch(ts *testscript.TestScript, _ bool, args []string) {
	_, err := of(ts).forge.CreateBranch(context.Background(), args[0], args[2], args[1])
	ts.Check(err)
}

func protect(ts *testscript.TestScript, _ bool, args []string) {
	set := githubsim.Ruleset{
		Name: args[1], Target: "branch", Enforcement: "active", Conditions: &githubsim.Conditions{},
		BypassActors: []githubsim.BypassActor{{ActorID: 7, ActorType: "Integration", BypassMode: "always"}},
		Rules:        githubsim.Rules{Deletion: true, NonFastForward: true, PullRequest: &githubsim.PullRequestRule{}},
	}
	set.Conditions.RefName.Includes = []string{"refs/heads/" + args[1]}
	ts.Check(of(ts).forge.PutRuleset(args[0], args[1], set))
}

func releaseAMI(ts *testscript.TestScript, _ bool, args []string) {
	w, ctx := of(ts), context.Background()
	old, _, err := w.forge.ReadFile(ctx, "infrastructure", "dev", release.AMIFile)
	ts.Check(err)
	known := release.Release{ArtifactTag: args[1], SoftwareCommit: strings.Repeat("5", 40), ImageCommit: strings.Repeat("6", 40), Execution: "e-1"}
	_, err = w.forge.WriteFile(ctx, "infrastructure", githubsim.FileWrite{
		Branch: "dev", Path: release.AMIFile, Content: []byte(args[0] + "\n"), SHA: old.SHA,
		Message: "ami-id: " + args[1] + "\n\n" + known.Trailers(),
	}, githubsim.Actor{Login: "relay[bot]", App: 7})
	ts.Check(err)
}

func merge(ts *testscript.TestScript, _ bool, args []string) {
	address := ts.Getenv("RELAY_GITHUB_API") + "repos/acme/" + args[0] + "/pulls/" + args[1] + "/merge"
	request, err := http.NewRequest(http.MethodPut, address, bytes.NewBufferString("{}"))
	ts.Check(err)
	request.Header.Set("Authorization", "Bearer kims")
	answer, err := http.DefaultClient.Do(request)
	ts.Check(err)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("merging %s #%s: %s", args[0], args[1], answer.Status)
	}
}
