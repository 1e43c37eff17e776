package githubsim

import (
	"context"
	"slices"
	"strings"
)

// ownersMissing says which code owners have yet to approve a pull request. The owners are those that the base branch names
// (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners).
func (r *repo) ownersMissing(ctx context.Context, p *pull, head string, approvers []Actor) ([]string, error) {
	base, err := r.head(ctx, p.base)
	if err != nil {
		return nil, err
	}
	text, err := r.codeowners(ctx, base)
	if err != nil || text == "" {
		return nil, err
	}
	out, err := r.run(ctx, "", "merge-base", base, head)
	if err != nil {
		return nil, err
	}
	paths, err := r.changed(ctx, strings.TrimSpace(out), head)
	if err != nil {
		return nil, err
	}
	var messages []string
	for _, path := range paths {
		owners := ownersOf(text, path)
		approved := slices.ContainsFunc(approvers, func(a Actor) bool {
			return a.Owner || slices.ContainsFunc(owners, func(owner string) bool {
				return owner == a.Login || slices.Contains(a.Teams, owner)
			})
		})
		message := "Waiting on code owner review from " + strings.Join(owners, " and/or ") + "."
		if len(owners) > 0 && !approved && !slices.Contains(messages, message) {
			messages = append(messages, message)
		}
	}
	return messages, nil
}

// codeowners reads the first CODEOWNERS file of a commit in GitHub's order; empty when there is none.
func (r *repo) codeowners(ctx context.Context, commit string) (string, error) {
	for _, path := range []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"} {
		file, err := r.file(ctx, commit, path)
		if err == nil {
			return string(file.Content), nil
		}
		if !NotFound(err) {
			return "", err
		}
	}
	return "", nil
}

// ownersOf returns the owners of a path, without "@": those of the last pattern that matches.
func ownersOf(codeowners, path string) []string {
	var owners []string
	for line := range strings.Lines(codeowners) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		pattern := strings.TrimSuffix(fields[0], "/")
		if !strings.Contains(pattern, "/") {
			pattern = "**/" + pattern // a name without a folder matches in every folder
		}
		pattern = strings.TrimPrefix(pattern, "/")
		// A pattern for a folder owns what lies below it; "docs/*" owns the folder's files only.
		below := !strings.HasSuffix(pattern, "/*") && glob(pattern+"/**").MatchString(path)
		if !strings.HasSuffix(fields[0], "/") && glob(pattern).MatchString(path) || below {
			owners = nil
			for _, owner := range fields[1:] {
				owners = append(owners, strings.TrimPrefix(owner, "@"))
			}
		}
	}
	return owners
}
