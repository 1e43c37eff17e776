// Package history reads from git which releases an environment's branch of the infrastructure repository named, and when. What was
// approved and deployed of them is not known here.
package history

import (
	"context"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/tekpossible/ha-devops/internal/github"
	"github.com/tekpossible/ha-devops/internal/release"
)

// Hub is what Releases needs of GitHub.
type Hub interface {
	ListCommits(ctx context.Context, repository, ref, path string, page, size int) ([]github.Commit, error)
	ReadFile(ctx context.Context, repository, ref, path string) (github.File, error)
}

// Entry is a release that a branch named from one commit on.
type Entry struct {
	// AMI is the AMI's ID.
	AMI string `json:"ami"`
	// Release is where the AMI came from, as the commit says; people's commits may say nothing.
	Release release.Release `json:"release"`
	// Commit is the SHA-1 of the infrastructure repository's commit, Author who made it, Time when.
	Commit string    `json:"commit"`
	Author string    `json:"author"`
	Time   time.Time `json:"time"`
	// Message is the commit's message, Trailers its trailers, one on a line.
	Message  string `json:"-"`
	Trailers string `json:"-"`
}

// RolledBackFrom is the trailer of a rollback: the AMI that it took away.
const RolledBackFrom = "Rolled-Back-From: "

// Rollback says whether the entry's commit is a rollback.
func (e Entry) Rollback() bool {
	return strings.Contains("\n"+e.Trailers, "\n"+RolledBackFrom)
}

// Name is the entry for people: its artifact's tag and its AMI.
func (e Entry) Name() string {
	if e.Release.ArtifactTag == "" {
		return e.AMI
	}
	return e.Release.ArtifactTag + " (" + e.AMI + ")"
}

// Releases goes through the releases of a branch, or up to a commit, the newest first. Commits after which ami-id is missing or names
// no AMI are left out. It asks GitHub only as far as it is followed.
func Releases(ctx context.Context, hub Hub, repository, ref string) iter.Seq2[Entry, error] {
	const size = 30
	return func(yield func(Entry, error) bool) {
		for page := 1; ; page++ {
			commits, err := hub.ListCommits(ctx, repository, ref, release.AMIFile, page, size)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, c := range commits {
				file, err := hub.ReadFile(ctx, repository, c.SHA, release.AMIFile)
				if err != nil {
					yield(Entry{}, err)
					return
				}
				ami, err := release.ParseAMI(string(file.Content))
				if err != nil {
					continue
				}
				entry := Entry{
					AMI: ami, Release: release.FromMessage(c.Message), Commit: c.SHA, Author: c.Author, Time: c.Time, Message: c.Message, Trailers: Trailers(c.Message),
				}
				if !yield(entry, nil) {
					return
				}
			}
			if len(commits) < size {
				return
			}
		}
	}
}

// Newest is the release that a branch names now; nil when it has none yet.
func Newest(ctx context.Context, hub Hub, repository, ref string) (*Entry, error) {
	for entry, err := range Releases(ctx, hub, repository, ref) {
		if err != nil {
			return nil, err
		}
		return &entry, nil
	}
	return nil, nil
}

var trailer = regexp.MustCompile(`^[A-Za-z0-9-]+: \S.*$`)

// Trailers returns the trailers of a commit message, one on a line: its last paragraph, if it has nothing else (git
// interpret-trailers).
func Trailers(message string) string {
	message = strings.ReplaceAll(strings.TrimSpace(message), "\r\n", "\n")
	at := strings.LastIndex(message, "\n\n")
	if at < 0 {
		return ""
	}
	var out strings.Builder
	for line := range strings.SplitSeq(message[at+2:], "\n") {
		if !trailer.MatchString(line) {
			return ""
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
