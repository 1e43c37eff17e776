package components

import (
	"embed"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/pipelines"
)

// starterFiles are what new repositories begin with: a directory for each role, and promoted for all those with environments.
//
//go:embed all:starter
var starterFiles embed.FS

// PromotionWorkflow is the path of the workflow that reports PromotionCheck. A repository that got no starter files needs it too.
const PromotionWorkflow = ".github/workflows/promotion.yml"

const readme = "README.md"

// StarterFile is a file that a new repository begins with.
type StarterFile struct {
	// Path is the file's path in the repository.
	Path    string
	Content string
}

// StarterFiles are the files that a repository of a role begins with, in the order in which they are written.
func StarterFiles(role pipelines.Role, codeOwners []string) []StarterFile {
	files := starterDir(string(role))
	if role != pipelines.DevOps {
		files = append(files, starterDir("promoted")...)
	}
	if role == pipelines.Infrastructure {
		// A Spec holds numbers and strings, which always marshal.
		shape, _ := json.MarshalIndent(envspec.Default(), "", "  ")
		files = append(files, StarterFile{envspec.File, string(shape) + "\n"})
	}
	if len(codeOwners) > 0 {
		files = append(files, StarterFile{".github/CODEOWNERS", "# Who approves a change of which file.\n* " + strings.Join(codeOwners, " ") + "\n"})
	}
	// The README replaces GitHub's own. It comes last, after everything that refuses a repository which has content already.
	slices.SortFunc(files, func(a, b StarterFile) int {
		switch {
		case a.Path == readme:
			return 1
		case b.Path == readme:
			return -1
		}
		return strings.Compare(a.Path, b.Path)
	})
	return files
}

func starterDir(name string) []StarterFile {
	var files []StarterFile
	root := "starter/" + name
	// What is embedded can be read.
	_ = fs.WalkDir(starterFiles, root, func(path string, entry fs.DirEntry, _ error) error {
		if !entry.IsDir() {
			content, _ := starterFiles.ReadFile(path)
			files = append(files, StarterFile{strings.TrimPrefix(path, root+"/"), string(content)})
		}
		return nil
	})
	return files
}

// begin gives the repository its default branch, the label and the starter files, and returns what a branch is to wait for.
func (r *Repo) begin(ctx *pulumi.Context, name string, args *RepoArgs, repository pulumi.StringOutput) ([]pulumi.Resource, error) {
	// An organization may call the first branch something else; then this fails, before anything relies on it.
	first, err := github.NewBranchDefault(ctx, name, &github.BranchDefaultArgs{
		Repository: repository, Branch: pulumi.String(DefaultBranch),
	}, pulumi.Parent(r))
	if err != nil {
		return nil, err
	}
	if !args.Linear {
		if _, err := github.NewIssueLabel(ctx, name+"-"+HotfixLabel, &github.IssueLabelArgs{
			Repository: repository, Name: pulumi.String(HotfixLabel), Color: pulumi.String("d93f0b"),
			Description: pulumi.String("Goes into qa or main without coming from the environment before it"),
		}, pulumi.Parent(r)); err != nil {
			return nil, err
		}
	}
	last := pulumi.Resource(first)
	if !args.Starter {
		return []pulumi.Resource{last}, nil
	}
	for _, file := range StarterFiles(args.Role, args.CodeOwners) {
		// One after the other: each is a commit on the same branch. People change and delete the files afterwards, so that this
		// program neither changes nor deletes them (terraform-provider-github, resource github_repository_file).
		if last, err = github.NewRepositoryFile(ctx, name+"-"+file.Path, &github.RepositoryFileArgs{
			Repository: repository, Branch: pulumi.String(DefaultBranch), File: pulumi.String(file.Path), Content: pulumi.String(file.Content),
			CommitMessage: pulumi.String("Add " + file.Path), OverwriteOnCreate: pulumi.Bool(file.Path == readme),
		}, pulumi.Parent(r), pulumi.DependsOn([]pulumi.Resource{last}), pulumi.RetainOnDelete(true),
			pulumi.IgnoreChanges([]string{"content", "commitMessage", "overwriteOnCreate"})); err != nil {
			return nil, err
		}
	}
	return []pulumi.Resource{last}, nil
}
