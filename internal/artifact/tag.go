package artifact

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/tekpossible/ha-devops/internal/git"
)

// Tag returns the artifact tag of a checkout's HEAD: its git tag (of several the highest semantic version, else the last in
// byte order); without one, the nearest tag before it as `v1.4.0-3-g1a2b3c4d5e6f`; without any, `g1a2b3c4d5e6f`. The checkout
// needs its history and tags. Characters that S3 keys, EC2 tags and units do not all take become hyphens.
func Tag(ctx context.Context, dir string) (string, error) {
	head, err := Head(ctx, dir)
	if err != nil {
		return "", err
	}
	here, err := tags(ctx, dir, "--points-at")
	if err != nil {
		return "", err
	}
	if len(here) > 0 {
		return Safe(highest(here)), nil
	}
	before, err := tags(ctx, dir, "--merged")
	if err != nil {
		return "", err
	}
	short := "g" + head[:12]
	if len(before) == 0 {
		return short, nil
	}
	described, err := git.Run(ctx, dir, "describe", "--tags", "--long", "--abbrev=12", "HEAD")
	if err != nil {
		return "", fmt.Errorf("finding the artifact tag: %w", err)
	}
	// git writes more than 12 digits where 12 are not unique, so the hash is not taken from it.
	described = strings.TrimSpace(described)
	return Safe(described[:strings.LastIndexByte(described, '-')]) + "-" + short, nil
}

// Head returns the full SHA-1 of a checkout's HEAD.
func Head(ctx context.Context, dir string) (string, error) {
	out, err := git.Run(ctx, dir, "rev-parse", "--verify", "HEAD^{commit}")
	if err != nil {
		return "", fmt.Errorf("finding the commit: %w", err)
	}
	return strings.TrimSpace(out), nil
}

func tags(ctx context.Context, dir, option string) ([]string, error) {
	out, err := git.Run(ctx, dir, "tag", option, "HEAD")
	if err != nil {
		return nil, fmt.Errorf("finding the artifact tag: %w", err)
	}
	return strings.Fields(out), nil
}

func highest(tags []string) string {
	best := tags[0]
	for _, tag := range tags[1:] {
		if c := semver.Compare(version(tag), version(best)); c > 0 || c == 0 && tag > best {
			best = tag
		}
	}
	return best
}

// version is the form that semver compares; what is no version comes before every version.
func version(tag string) string { return "v" + strings.TrimPrefix(tag, "v") }

var unsafe = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Safe makes a git tag fit for S3 keys, EC2 tags and systemd units.
func Safe(tag string) string { return unsafe.ReplaceAllString(tag, "-") }

var safe = regexp.MustCompile(`^[A-Za-z0-9._-]{1,250}$`)

// IsTag says whether a text can be an artifact tag, which is what Safe returns.
func IsTag(s string) bool { return safe.MatchString(s) && strings.Trim(s, ".") != "" }
