package promotion

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/history"
)

// Repository is a repository with a branch for each environment.
type Repository struct {
	// Role is what it is for, Name its name without the owner.
	Role, Name string
}

// Difference is what one environment has that another one has not.
type Difference struct {
	// From has it, To has it not.
	From string `json:"from"`
	To   string `json:"to"`
	// FromRelease and ToRelease are what the branches of the infrastructure repository name; nil while there is none.
	FromRelease *history.Entry `json:"fromRelease,omitempty"`
	ToRelease   *history.Entry `json:"toRelease,omitempty"`
	// Repositories are the commits, in the order software, image, infrastructure.
	Repositories []News `json:"repositories"`
	// Settings are those of environment.json that differ.
	Settings []Setting `json:"settings"`
}

// Same says that there is nothing to promote.
func (d Difference) Same() bool {
	return len(d.Settings) == 0 && !slices.ContainsFunc(d.Repositories, func(n News) bool { return n.Ahead > 0 })
}

// News are the commits of a repository that the branch From has and To has not.
type News struct {
	Role       string `json:"role"`
	Repository string `json:"repository"`
	// Ahead is how many there are, Commits the first of them, at most 250, the oldest first.
	Ahead   int      `json:"ahead"`
	Commits []Commit `json:"commits"`
}

// Commit is a commit as people know it.
type Commit struct {
	SHA     string    `json:"sha"`
	Subject string    `json:"subject"`
	Author  string    `json:"author"`
	Time    time.Time `json:"time"`
	// URL is its page on GitHub.
	URL string `json:"url"`
}

// Setting is a setting that differs, with both values in JSON, empty where it is not set.
type Setting struct {
	// Key is the path in environment.json, such as "capacity.min".
	Key  string `json:"key"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Between compares the branches of two environments.
func Between(ctx context.Context, hub Hub, repositories []Repository, infrastructure, from, to string) (Difference, error) {
	d := Difference{From: from, To: to, Repositories: []News{}}
	for _, r := range repositories {
		found, err := hub.Between(ctx, r.Name, to, from)
		if err != nil {
			return d, err
		}
		if found.Relation == github.Unknown {
			return d, fmt.Errorf("%s has no branches %s and %s with a common history; run pulumi up for both stacks first", r.Name, from, to)
		}
		news := News{Role: r.Role, Repository: r.Name, Ahead: found.Total, Commits: []Commit{}}
		for _, c := range found.Commits {
			subject, _, _ := strings.Cut(c.Message, "\n")
			news.Commits = append(news.Commits, Commit{SHA: c.SHA, Subject: subject, Author: c.Author, Time: c.Time, URL: hub.Web(r.Name) + "/commit/" + c.SHA})
		}
		d.Repositories = append(d.Repositories, news)
	}
	var err error
	if d.FromRelease, err = history.Newest(ctx, hub, infrastructure, from); err != nil {
		return d, err
	}
	if d.ToRelease, err = history.Newest(ctx, hub, infrastructure, to); err != nil {
		return d, err
	}
	d.Settings, err = settings(ctx, hub, infrastructure, from, to)
	return d, err
}

// settings compares environment.json key by key: a file that is laid out anew differs in nothing.
func settings(ctx context.Context, hub Hub, repository, from, to string) ([]Setting, error) {
	var sides [2]map[string]string
	for i, branch := range []string{from, to} {
		file, err := hub.ReadFile(ctx, repository, branch, envspec.File)
		if err != nil {
			return nil, err
		}
		sides[i] = map[string]string{}
		if !file.Exists {
			continue
		}
		var value any
		if err := json.Unmarshal(file.Content, &value); err != nil {
			return nil, fmt.Errorf("%s of %s at %s: %w", envspec.File, repository, branch, err)
		}
		flatten(sides[i], "", value)
	}
	keys := maps.Clone(sides[0])
	maps.Copy(keys, sides[1])
	differ := []Setting{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if sides[0][key] != sides[1][key] {
			differ = append(differ, Setting{Key: key, From: sides[0][key], To: sides[1][key]})
		}
	}
	return differ, nil
}

func flatten(into map[string]string, path string, value any) {
	if object, ok := value.(map[string]any); ok && (len(object) > 0 || path == "") {
		for key, member := range object {
			flatten(into, strings.TrimPrefix(path+"."+key, "."), member)
		}
		return
	}
	text, _ := json.Marshal(value) // what was JSON is JSON again
	into[path] = string(text)
}
