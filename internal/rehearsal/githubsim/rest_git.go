package githubsim

import (
	"context"
	"encoding/base64"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// getContents answers with a file, base64 in lines as GitHub has it.
func getContents(c *call) (int, any, error) {
	ref := c.FormValue("ref")
	if ref == "" {
		ref = c.repo.current().DefaultBranch
	}
	commit, err := c.repo.resolve(c.Context(), ref)
	if err != nil {
		return 0, nil, err
	}
	file, err := c.repo.file(c.Context(), commit, c.PathValue("path"))
	if err != nil {
		return 0, nil, err
	}
	answer := c.content(file, ref)
	answer["encoding"], answer["content"] = "base64", base64.StdEncoding.EncodeToString(file.Content)
	return http.StatusOK, answer, nil
}

func (c *call) content(file File, ref string) object {
	return object{
		"type": "file", "name": path.Base(file.Path), "path": file.Path, "sha": file.SHA, "size": len(file.Content),
		"html_url": c.html() + "/blob/" + ref + "/" + file.Path, "url": c.api() + "/contents/" + file.Path + "?ref=" + ref,
	}
}

func putContents(c *call) (int, any, error) {
	var in struct {
		Message           string
		Content           *[]byte // base64 in JSON
		SHA, Branch       string
		Author, Committer *Identity
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.Content == nil {
		return 0, nil, fail(http.StatusUnprocessableEntity, "Invalid request.\n\n\"content\" wasn't supplied.")
	}
	file, created, err := c.repo.put(c.Context(), FileWrite{
		Branch: in.Branch, Path: c.PathValue("path"), Content: *in.Content, Message: in.Message, SHA: in.SHA,
		Author: in.Author, Committer: in.Committer,
	}, c.actor)
	if err != nil {
		return 0, nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	// Here the commit lies flat, elsewhere below "commit": go-github reads both as GitHub sends them.
	commit := c.gitCommit(file.Commit)
	commit["sha"], commit["parents"] = file.Commit.SHA, parents(file.Commit)
	return status, object{"content": c.content(file, file.Commit.SHA), "commit": commit}, nil
}

func parents(commit Commit) []object {
	out := []object{}
	for _, sha := range commit.Parents {
		out = append(out, object{"sha": sha})
	}
	return out
}

func (c *call) gitCommit(commit Commit) object {
	return object{
		"message": commit.Message, "author": commit.Author, "committer": commit.Committer,
		"tree": object{"sha": commit.Tree}, "html_url": c.html() + "/commit/" + commit.SHA,
	}
}

func (c *call) commit(commit Commit) object {
	return object{
		"sha": commit.SHA, "commit": c.gitCommit(commit), "parents": parents(commit),
		"html_url": c.html() + "/commit/" + commit.SHA, "url": c.api() + "/commits/" + commit.SHA,
		"author": object{"login": commit.Author.Name}, "committer": object{"login": commit.Committer.Name},
	}
}

func (c *call) commits(commits []Commit) []object {
	out := []object{}
	for _, commit := range commits {
		out = append(out, c.commit(commit))
	}
	return out
}

func listCommits(c *call) (int, any, error) {
	ref := c.FormValue("sha")
	if ref == "" {
		ref = c.repo.current().DefaultBranch
	}
	from, err := c.repo.resolve(c.Context(), ref)
	if err != nil {
		return 0, nil, err
	}
	number, size := c.page()
	args := []string{"--skip=" + strconv.Itoa((number-1)*size), "--max-count=" + strconv.Itoa(size+1), from, "--"}
	if p := c.FormValue("path"); p != "" {
		args = append(args, ":(literal)"+p)
	}
	commits, err := c.repo.log(c.Context(), args...)
	if err != nil {
		return 0, nil, err
	}
	if len(commits) > size {
		commits = commits[:size]
		c.nextPage(number)
	}
	return http.StatusOK, c.commits(commits), nil
}

func getCommit(c *call) (int, any, error) {
	ref := strings.TrimPrefix(strings.TrimPrefix(c.PathValue("ref"), "heads/"), "tags/")
	sha, err := c.repo.resolve(c.Context(), ref)
	if NotFound(err) {
		return 0, nil, fail(http.StatusUnprocessableEntity, "No commit found for SHA: %s", ref)
	}
	if err != nil {
		return 0, nil, err
	}
	if strings.HasSuffix(c.Header.Get("Accept"), ".sha") {
		return http.StatusOK, sha, nil
	}
	commit, err := c.repo.commit(c.Context(), sha)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.commit(commit), nil
}

// compareLimit is how many commits GitHub lists of a comparison's first page at most.
const compareLimit = 250

func compare(c *call) (int, any, error) {
	from, to, ok := strings.Cut(c.PathValue("range"), "...")
	if !ok {
		return 0, nil, fail(http.StatusNotFound, "Not Found")
	}
	base, err := c.repo.resolve(c.Context(), from)
	if err != nil {
		return 0, nil, err
	}
	head, err := c.repo.resolve(c.Context(), to)
	if err != nil {
		return 0, nil, err
	}
	behind, ahead, err := c.repo.distance(c.Context(), base, head)
	if err != nil {
		return 0, nil, err
	}
	status := map[[2]bool]string{
		{false, false}: "identical", {false, true}: "ahead", {true, false}: "behind", {true, true}: "diverged",
	}[[2]bool{behind > 0, ahead > 0}]
	ancestor, err := c.repo.run(c.Context(), "", "merge-base", base, head)
	if exited(err, 1) {
		return 0, nil, fail(http.StatusNotFound, "No common ancestor between %s and %s.", from, to)
	}
	if err != nil {
		return 0, nil, err
	}
	common, err := c.repo.commit(c.Context(), strings.TrimSpace(ancestor))
	if err != nil {
		return 0, nil, err
	}
	commits, err := c.repo.log(c.Context(), "--reverse", "--max-count="+strconv.Itoa(compareLimit), base+".."+head)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, object{
		"status": status, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead,
		"commits": c.commits(commits), "merge_base_commit": c.commit(common),
	}, nil
}

func getRef(c *call) (int, any, error) {
	branch, ok := strings.CutPrefix(c.PathValue("ref"), "heads/")
	if !ok {
		return 0, nil, fail(http.StatusNotImplemented, "githubsim: git/ref of %s is not simulated", c.PathValue("ref"))
	}
	sha, err := c.repo.head(c.Context(), branch)
	if NotFound(err) {
		return 0, nil, fail(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, c.reference(branch, sha), err
}

func (c *call) reference(branch, sha string) object {
	return object{
		"ref": "refs/heads/" + branch, "url": c.api() + "/git/refs/heads/" + branch,
		"object": object{"type": "commit", "sha": sha, "url": c.api() + "/git/commits/" + sha},
	}
}

func createRef(c *call) (int, any, error) {
	var in struct{ Ref, SHA string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	branch, ok := strings.CutPrefix(in.Ref, "refs/heads/")
	if !ok {
		return 0, nil, fail(http.StatusNotImplemented, "githubsim: creating %s is not simulated, only branches are", in.Ref)
	}
	err := c.repo.change(c.Context(), func(ctx context.Context) error {
		if sha, err := c.repo.resolve(ctx, in.SHA); NotFound(err) || err == nil && sha != in.SHA {
			return fail(http.StatusUnprocessableEntity, "Object does not exist")
		} else if err != nil {
			return err
		}
		found, err := c.repo.violations(ctx, attempt{actor: c.actor, ref: in.Ref, before: zero, after: in.SHA})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return ruleViolations(http.StatusUnprocessableEntity, found)
		}
		return c.repo.create(ctx, branch, in.SHA, c.actor)
	})
	return http.StatusCreated, c.reference(branch, in.SHA), err
}

func getBranch(c *call) (int, any, error) {
	branch := c.PathValue("branch")
	sha, err := c.repo.head(c.Context(), branch)
	if NotFound(err) {
		return 0, nil, fail(http.StatusNotFound, "Branch not found")
	}
	if err != nil {
		return 0, nil, err
	}
	commit, err := c.repo.commit(c.Context(), sha)
	if err != nil {
		return 0, nil, err
	}
	// "protected" tells of classic branch protection, which rulesets are not.
	return http.StatusOK, object{"name": branch, "commit": c.commit(commit), "protected": false}, nil
}

// createStatus records a commit status; its caller's App counts where a required check names one.
func createStatus(c *call) (int, any, error) {
	var in struct {
		State, Context, Description string
		TargetURL                   string `json:"target_url"`
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if in.Context == "" {
		in.Context = "default"
	}
	switch in.State {
	case "error", "failure", "pending", "success":
	default:
		return 0, nil, invalid(Detail{Resource: "Status", Field: "state", Code: "invalid"})
	}
	sha := c.PathValue("sha")
	err := c.repo.change(c.Context(), func(ctx context.Context) error {
		if found, err := c.repo.resolve(ctx, sha); NotFound(err) || err == nil && found != sha {
			return fail(http.StatusUnprocessableEntity, "No commit found for SHA: %s", sha)
		} else if err != nil {
			return err
		}
		if c.repo.statuses[sha] == nil {
			c.repo.statuses[sha] = map[string]status{}
		}
		c.repo.statuses[sha][in.Context] = status{state: in.State, app: c.actor.App}
		return nil
	})
	now := time.Now().UTC().Format(time.RFC3339)
	return http.StatusCreated, object{
		"state": in.State, "context": in.Context, "description": in.Description, "target_url": in.TargetURL,
		"creator": object{"login": c.actor.Login}, "created_at": now, "updated_at": now,
	}, err
}
