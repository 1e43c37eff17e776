package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/release"
)

func (s Subject) hub() (*github.Client, error) {
	return github.New(s.Hub.API, s.Hub.Owner, s.Hub.Token)
}

func (s Subject) token(ctx context.Context) Result {
	const set = "set GITHUB_TOKEN to a token of yours: docs/bootstrap.md, step 6, says what it may do"
	if s.Hub.Token == "" {
		return problem("GITHUB_TOKEN is not set", set)
	}
	client, err := s.hub()
	if err != nil {
		return problem(err.Error(), "mend github.api in Pulumi."+s.Environment+".yaml")
	}
	login, err := client.Login(ctx)
	if err != nil {
		if github.StatusOf(err) == http.StatusUnauthorized {
			return problem("GitHub refuses the token in GITHUB_TOKEN", set)
		}
		return notChecked(reason(err))
	}
	if login == "" {
		return ok("of a GitHub App")
	}
	return ok("%s's", login)
}

// appSecret reads the secret as a pipeline does.
func (s Subject) appSecret(ctx context.Context) Result {
	credentials, err := github.Fetch(ctx, secretsmanager.NewFromConfig(s.Cloud), s.Hub.Secret)
	put := "aws secretsmanager put-secret-value --secret-id " + s.Hub.Secret + " --secret-string file://app.json, see docs/bootstrap.md, step 3"
	switch {
	case err == nil:
		return ok("%s", credentials)
	case code(err) == "ResourceNotFoundException":
		return problem("the secret is missing or has no value: "+s.Hub.Secret, put+"; or mend github.secret in Pulumi."+s.Environment+".yaml")
	case denied(err):
		return asked(err)
	case code(err) != "":
		return problem("the secret cannot be read: "+reason(err), put)
	}
	return problem(strings.Join(strings.Split(err.Error(), "\n"), "; "), put)
}

// permissionsOfTheApp are those that docs/bootstrap.md asks for.
var permissionsOfTheApp = map[string]string{"contents": "write", "metadata": "read", "pull_requests": "write"}

// app asks GitHub about the App and its repositories as the App itself.
func (s Subject) app(ctx context.Context) Result {
	credentials, err := github.Fetch(ctx, secretsmanager.NewFromConfig(s.Cloud), s.Hub.Secret)
	if err != nil {
		return notChecked(reason(err))
	}
	settings := fmt.Sprintf("%s (settings of %s, GitHub Apps, Configure)", s.Hub.Owner, s.Hub.Owner)
	if credentials.IsApp() {
		installed, err := credentials.Installation(ctx, s.Hub.API)
		status := github.StatusOf(err)
		switch lacking := installed.Lacks(permissionsOfTheApp); {
		case status == http.StatusUnauthorized || status == http.StatusNotFound:
			return problem(reason(err), "compare appId, installationId and privateKey in the secret with the App's page")
		case err != nil:
			return notChecked(reason(err))
		case installed.App != int64(s.Hub.App):
			return problem(fmt.Sprintf("the secret is App %d's, the rulesets let App %d past", installed.App, s.Hub.App),
				"mend github.app in Pulumi."+s.Environment+".yaml, or the secret")
		case !strings.EqualFold(installed.Owner, s.Hub.Owner):
			return problem(fmt.Sprintf("the App's installation is %s's", installed.Owner), "install the App on "+s.Hub.Owner+", and put that installationId into the secret")
		case installed.Suspended:
			return problem("the App's installation is suspended", "unsuspend it at "+settings)
		case len(lacking) > 0:
			return problem("the App lacks "+strings.Join(lacking, ", "), "grant it in the App's settings, then accept it for "+settings)
		}
	}
	client, err := credentials.Client(s.Hub.API, s.Hub.Owner)
	if err != nil {
		return notChecked(err.Error())
	}
	var unseen, closed []string
	for _, r := range s.Hub.Repositories {
		if !r.Source && !r.Handoffs {
			continue
		}
		found, err := client.Repository(ctx, r.Name)
		switch {
		case github.StatusOf(err) == http.StatusUnauthorized:
			return problem("GitHub refuses the token in the secret", "put a new one into "+s.Hub.Secret)
		case err != nil:
			return notChecked(reason(err))
		case !found.Exists:
			unseen = append(unseen, r.Name)
		case !credentials.IsApp() && r.Handoffs && !found.Push:
			closed = append(closed, r.Name)
		}
	}
	switch {
	case len(unseen) > 0:
		return problem("it is not installed on "+strings.Join(unseen, ", ")+", or they do not exist", "select them for the App at "+settings)
	case len(closed) > 0:
		return problem("the token may not write to "+strings.Join(closed, ", "), "put one into the secret that may write contents there, or the App's key")
	case !credentials.IsApp():
		return note("the secret holds a plain token, which does not say whose App it is")
	}
	return ok("%s, with its permissions and repositories", credentials)
}

func (s Subject) repositories(ctx context.Context) Result {
	client, err := s.hub()
	if err != nil {
		return notChecked(err.Error())
	}
	var missing, bare, archived []string
	for _, r := range s.Hub.Repositories {
		found, err := client.Repository(ctx, r.Name)
		if err != nil {
			return notChecked(reason(err))
		}
		switch {
		case !found.Exists:
			missing = append(missing, r.Name)
			continue
		case found.Archived:
			archived = append(archived, r.Name)
		}
		there, err := client.HasBranch(ctx, r.Name, r.Branch)
		if err != nil {
			return notChecked(reason(err))
		}
		if !there {
			bare = append(bare, r.Branch+" of "+r.Name)
		}
	}
	first := s.Upstream
	if first == "" {
		first = s.Environment
	}
	switch {
	case len(missing) > 0:
		return problem("missing, or not the token's to read: "+strings.Join(missing, ", "),
			"the first environment's pulumi up makes them ("+first+"); when they exist, let the token read them")
	case len(archived) > 0:
		return problem("archived, so that nothing can be committed: "+strings.Join(archived, ", "), "unarchive them in their settings")
	case len(bare) > 0:
		return problem("there is no branch "+strings.Join(bare, ", "), "pulumi up --stack "+s.Environment+" makes it")
	}
	return ok("all there, with their branches")
}

// release tells whether the environment has a release, and what holds the next one back.
func (s Subject) release(ctx context.Context) Result {
	client, err := s.hub()
	if err != nil {
		return notChecked(err.Error())
	}
	released := false
	for _, r := range s.Hub.Repositories {
		if !r.Handoffs {
			continue
		}
		hold, err := client.ReadFile(ctx, r.Name, s.Environment, release.HoldFile)
		if err != nil {
			return notChecked(reason(err))
		}
		if hold.Exists {
			return Result{
				Status: Note, Found: fmt.Sprintf("%s is held: %s", r.Name, strings.Join(strings.Fields(string(hold.Content)), " ")),
				Fix: "relay release-hold " + s.Environment + " lets the next hand-off in, when it is time",
			}
		}
		ami, err := client.ReadFile(ctx, r.Name, s.Environment, release.AMIFile)
		if err != nil {
			return notChecked(reason(err))
		}
		released = released || ami.Exists
	}
	if !released {
		from := "merge a pull request into " + s.Environment + " of the software repository"
		if s.Upstream != "" {
			from = "relay promote " + s.Environment
		}
		return Result{Status: Note, Found: "no release was handed off yet", Fix: from}
	}
	return ok("handed off, and not held")
}
