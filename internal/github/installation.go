package github

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v74/github"

	"github.com/tekpossible/ha-devops/internal/retry"
)

// Installation is where a GitHub App is installed and what it may do there.
type Installation struct {
	// App is the App's ID, Owner the organization or user that it is installed on.
	App   int64
	Owner string
	// Permissions are "read", "write" or "admin" by their names in the API, such as "contents" and "pull_requests". Only those that relay
	// needs are here; one that is missing is not granted.
	Permissions map[string]string
	// Suspended says that the owner has suspended it: it gets no tokens.
	Suspended bool
}

// Lacks are the permissions of those wanted that the installation has not, as "contents: write". Write includes read.
func (i Installation) Lacks(wanted map[string]string) []string {
	var lacking []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		have := i.Permissions[name]
		if have != wanted[name] && (wanted[name] != "read" || have == "") {
			lacking = append(lacking, name+": "+wanted[name])
		}
	}
	return lacking
}

// IsApp says that the credentials are those of a GitHub App, not a plain token.
func (c Credentials) IsApp() bool { return c.app.ID != 0 }

// Installation asks for the App's installation that the credentials name, with the App's own key (GitHub Docs, "Get an installation for
// the authenticated app"). A plain token has none, which is an error. root is as in New.
func (c Credentials) Installation(ctx context.Context, root string) (Installation, error) {
	address, err := parseRoot(root)
	if err != nil {
		return Installation{}, err
	}
	transport, err := ghinstallation.NewAppsTransport(http.DefaultTransport.(*http.Transport).Clone(), c.app.ID, []byte(c.app.Key))
	if err != nil {
		return Installation{}, fmt.Errorf("%s: its private key is not an RSA key in PEM", c)
	}
	transport.BaseURL = strings.TrimSuffix(root, "/")
	api := github.NewClient(&http.Client{Transport: transport, Timeout: retry.RequestTimeout, CheckRedirect: stayOn(address.Host)})
	api.BaseURL = address
	found, err := repeat(ctx, &Client{root: root, api: api, policy: retry.Call()}, func(ctx context.Context) (*github.Installation, *github.Response, error) {
		return api.Apps.GetInstallation(ctx, c.app.Installation)
	})
	if err != nil {
		return Installation{}, fmt.Errorf("looking at installation %d of %s: %w", c.app.Installation, c, err)
	}
	granted := map[string]string{}
	for name, level := range map[string]*string{
		"contents": found.GetPermissions().Contents, "metadata": found.GetPermissions().Metadata, "pull_requests": found.GetPermissions().PullRequests,
	} {
		if level != nil {
			granted[name] = *level
		}
	}
	return Installation{
		App: found.GetAppID(), Owner: found.GetAccount().GetLogin(), Permissions: granted, Suspended: found.SuspendedAt != nil,
	}, nil
}

// Repository is what the client's token may do with a repository. One that it may not read looks to it as if it did not exist.
type Repository struct {
	Exists, Archived bool
	// Push says that the token may push, which GitHub tells of people's tokens only.
	Push bool
}

// Repository looks at a repository.
func (c *Client) Repository(ctx context.Context, name string) (Repository, error) {
	found, err := repeat(ctx, c, func(ctx context.Context) (Repository, *github.Response, error) {
		out, response, err := c.api.Repositories.Get(ctx, c.owner, name)
		if status(response) == http.StatusNotFound {
			return Repository{}, response, nil
		}
		return Repository{Exists: true, Archived: out.GetArchived(), Push: out.GetPermissions()["push"]}, response, err
	})
	if err != nil {
		return Repository{}, fmt.Errorf("looking at repository %s/%s: %w", c.owner, name, err)
	}
	return found, nil
}

// HasBranch says whether a repository has a branch.
func (c *Client) HasBranch(ctx context.Context, repository, branch string) (bool, error) {
	found, err := repeat(ctx, c, func(ctx context.Context) (bool, *github.Response, error) {
		_, response, err := c.api.Git.GetRef(ctx, c.owner, repository, "heads/"+branch)
		// 409 is a repository without any commit.
		if code := status(response); code == http.StatusNotFound || code == http.StatusConflict {
			return false, response, nil
		}
		return true, response, err
	})
	if err != nil {
		return false, fmt.Errorf("looking for branch %s of %s/%s: %w", branch, c.owner, repository, err)
	}
	return found, nil
}
