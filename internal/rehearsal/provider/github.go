package provider

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// GitHub is the simulated GitHub and what happens on it. Every effect may be left empty.
type GitHub struct {
	// Owner is the organization or user that owns every repository.
	Owner string
	// URL is the root of its pages and clones without a slash at its end, such as "https://github.com".
	URL string

	// Repository is a repository, known by name; the property archiveOnDestroy says what Delete means.
	Repository Effect
	// Branch is a branch: properties repository, branch, sourceBranch.
	Branch Effect
	// DefaultBranch is a repository's choice of branch: properties repository, branch.
	DefaultBranch Effect
	// Ruleset is a ruleset of a repository, known by ID.
	Ruleset Effect
	// File is a file that a commit puts on a branch: properties repository, branch, file, content, commitMessage.
	File Effect

	// LookupFile answers getRepositoryFile with the file of a repository at a branch or commit ("" for the default
	// branch), and nil when repository, branch or file do not exist.
	LookupFile func(ctx context.Context, repository, ref, file string) (*File, error)
	// LookupRepository says whether a repository exists, for getRepository. Nil: none does.
	LookupRepository func(ctx context.Context, name string) (bool, error)
}

// File is a file of a repository.
type File struct {
	// Content is its text.
	Content string
	// SHA is the blob's SHA-1, Commit that of the commit which changed the file last.
	SHA, Commit string
	// Author, Email and Message are that commit's.
	Author, Email, Message string
}

// githubVersion is the version of the provider that the tables follow, that of the Go SDK.
const githubVersion = "6.7.2"

// Schema is the plugin github of this owner.
func (g GitHub) Schema() Schema {
	return Schema{
		Package: "github", Version: githubVersion,
		Types: schemaTypes(g.table(), constants{"owner": g.Owner, "url": g.URL}),
		Functions: map[tokens.ModuleMember]Function{
			"github:index/getRepositoryFile:getRepositoryFile": g.getRepositoryFile,
			"github:index/getRepository:getRepository":         g.getRepository,
		},
	}
}

func (g GitHub) table() map[string]spec {
	const etag = `W/"{hex64}"`
	return map[string]spec{
		"github:index/repository:Repository": {
			name: "name", max: 100, id: "{name}", effect: g.Repository,
			out: o{
				"etag": etag, "fullName": "{owner}/{name}", "nodeId": "R_{hex12}", "repoId": number{}, "primaryLanguage": "",
				"htmlUrl": "{url}/{owner}/{name}", "httpCloneUrl": "{url}/{owner}/{name}.git", "svnUrl": "{url}/{owner}/{name}",
				"gitCloneUrl": "git://github.com/{owner}/{name}.git", "sshCloneUrl": "git@github.com:{owner}/{name}.git",
				"defaultBranch": "main", "visibility": "public",
			},
			replace: "template",
		},
		"github:index/branch:Branch": {
			id: "{repository}:{branch}", effect: g.Branch,
			out:      o{"etag": etag, "ref": "refs/heads/{branch}", "sha": "{hex40}", "sourceBranch": "main", "sourceSha": "{sha}"},
			required: "branch repository", replace: "branch repository sourceBranch sourceSha",
		},
		"github:index/branchDefault:BranchDefault": {
			id: "{repository}", out: o{"etag": etag}, required: "branch repository", replace: "repository", effect: g.DefaultBranch,
		},
		"github:index/repositoryRuleset:RepositoryRuleset": {
			name: "name", max: 100, id: "{rulesetId}", out: o{"etag": etag, "nodeId": "RRS_{hex12}", "rulesetId": number{}},
			required: "enforcement rules target", replace: "repository", effect: g.Ruleset,
		},
		"github:index/repositoryFile:RepositoryFile": {
			id: "{repository}/{file}", effect: g.File,
			out: o{"commitSha": "{hex40}", "sha": "{hex40}", "ref": "{branch}"}, fresh: "commitSha sha",
			required: "content file repository", replace: "file repository branch",
		},
		"github:index/repositoryDependabotSecurityUpdates:RepositoryDependabotSecurityUpdates": {
			id: "{repository}", required: "enabled repository", replace: "repository",
		},
		"github:index/repositoryTopics:RepositoryTopics": {
			id: "{repository}", required: "repository topics", replace: "repository",
		},
		"github:index/repositoryEnvironment:RepositoryEnvironment": {
			id: "{repository}:{environment}", required: "environment repository", replace: "environment repository",
		},
		"github:index/issueLabel:IssueLabel": {
			name: "name", id: "{repository}:{name}", out: o{"etag": etag, "url": "{url}/{owner}/{repository}/labels/{name}"},
			required: "color repository", replace: "repository",
		},
		"github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable": {
			id: "{repository}:{environment}:{variableName}", out: o{"createdAt": "{now}", "updatedAt": "{now}"},
			required: "environment repository value variableName", replace: "environment repository variableName",
		},
		"github:index/actionsVariable:ActionsVariable": {
			id: "{repository}:{variableName}", out: o{"createdAt": "{now}", "updatedAt": "{now}"},
			required: "repository value variableName", replace: "repository variableName",
		},
	}
}

// getRepositoryFile gives an empty result for what does not exist, as the real provider does: it takes GitHub's 404 as a
// file that is gone (data_source_github_repository_file.go of terraform-provider-github).
func (g GitHub) getRepositoryFile(ctx context.Context, args resource.PropertyMap) (
	resource.PropertyMap, []plugin.CheckFailure, error,
) {
	repository, ref, name := text(args, "repository"), text(args, "branch"), text(args, "file")
	result := o{
		"repository": repository, "file": name, "ref": ref, "id": "", "content": "", "sha": "", "commitSha": "",
		"commitAuthor": "", "commitEmail": "", "commitMessage": "",
	}
	if ref != "" {
		result["branch"] = ref
	}
	if g.LookupFile != nil {
		file, err := g.LookupFile(ctx, repository, ref, name)
		if err != nil {
			return nil, nil, err
		}
		if file != nil {
			result["id"], result["content"], result["sha"] = repository+"/"+name, file.Content, file.SHA
			result["commitSha"], result["commitAuthor"] = file.Commit, file.Author
			result["commitEmail"], result["commitMessage"] = file.Email, file.Message
		}
	}
	return resource.NewPropertyMapFromMap(result), nil, nil
}

func (g GitHub) getRepository(ctx context.Context, args resource.PropertyMap) (
	resource.PropertyMap, []plugin.CheckFailure, error,
) {
	name := text(args, "name")
	if full := text(args, "fullName"); name == "" && len(full) > len(g.Owner) {
		name = full[len(g.Owner)+1:]
	}
	var found bool
	if g.LookupRepository != nil {
		var err error
		if found, err = g.LookupRepository(ctx, name); err != nil {
			return nil, nil, err
		}
	}
	if !found {
		return nil, nil, fmt.Errorf("repository %s/%s does not exist", g.Owner, name)
	}
	page := g.URL + "/" + g.Owner + "/" + name
	return resource.NewPropertyMapFromMap(o{
		"id": name, "name": name, "fullName": g.Owner + "/" + name, "htmlUrl": page, "httpCloneUrl": page + ".git",
		"defaultBranch": "main", "visibility": "private", "private": true, "nodeId": "", "repoId": 0, "topics": []any{},
	}), nil, nil
}
