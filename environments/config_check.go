package environments

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/pipelines"
)

// checker notes a problem unless ok.
type checker = func(ok bool, key, value, allowed string)

// backends are the schemes of the backends that Pulumi keeps state in (Pulumi Docs, "Managing state and backend options").
var backends = []string{"s3", "gs", "azblob", "file", "https", "postgres"}

var (
	roleName  = `role/[A-Za-z0-9+=,.@_/-]{1,512}`
	codeOwner = regexp.MustCompile(`^@[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$`)
	issuer    = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_-]+)*$`)
	checkName = regexp.MustCompile(`^[^\pC]{1,100}$`)
)

// checkPlaces checks that everything that has an ARN lies where the environment does: what is elsewhere would fail in the middle of
// an update, or worse, be another environment's.
func (c *Config) checkPlaces(check checker) {
	for _, it := range []struct {
		key, value string
		required   bool
		// service and resource are those of the ARN; IAM knows no regions.
		service, resource, what string
	}{
		{"assumeRole", c.AssumeRole, false, "iam", roleName, "a role"},
		{"certificate", c.Certificate, false, "acm", `certificate/[A-Za-z0-9-]+`, "a certificate"},
		{"secretsKey", c.SecretsKey, false, "kms", `(key|alias)/[A-Za-z0-9/_-]+`, "a KMS key"},
		{"bake.key", c.Bake.Key, false, "kms", `(key|alias)/[A-Za-z0-9/_-]+`, "a KMS key"},
		{"github.secret", c.GitHub.Secret, true, "secretsmanager", `secret:[A-Za-z0-9/_+=.@-]+`, "a Secrets Manager secret"},
	} {
		if it.value == "" && !it.required {
			continue
		}
		place := c.Region
		if it.service == "iam" {
			place = ""
		}
		prefix := it.service + ":" + place + ":" + c.Account + ":"
		ok := regexp.MustCompile(`^arn:aws[a-z-]*:` + regexp.QuoteMeta(prefix) + it.resource + `$`).MatchString(it.value)
		check(ok, it.key, it.value, fmt.Sprintf("the ARN of %s of this account and region: arn:aws:%s…", it.what, prefix))
	}
	if parts := strings.Split(c.BaseImage, ":"); len(parts) > 3 && parts[2] == "imagebuilder" {
		check(parts[3] == c.Region, "baseImage", c.BaseImage, "an Image Builder image of region "+c.Region)
	}
}

// checkChoices checks what only some environments decide, and what the repositories are given.
func (c *Config) checkChoices(p Profile, check checker) {
	if c.Zones != nil {
		zones := strconv.Itoa(*c.Zones)
		if p.Exposure == components.Public {
			check(*c.Zones >= 2 && *c.Zones <= 6, "zones", zones, "2 to 6: production outlives the loss of a zone")
		} else {
			check(false, "zones", zones, "nothing: only production's number of zones is chosen")
		}
	}
	names := map[string]string{}
	for _, repository := range []struct{ key, name string }{
		{"software", c.GitHub.Software}, {"image", c.GitHub.Image}, {"infrastructure", c.GitHub.Infrastructure}, {"devops", c.GitHub.DevOps},
	} {
		// GitHub does not tell names apart by case.
		name := strings.ToLower(repository.name)
		check(names[name] == "", "github."+repository.key, repository.name, "a repository of its own, not github."+names[name]+"'s")
		names[name] = repository.key
	}
	if p.Upstream != "" {
		check(!c.GitHub.Starter, "github.starter", strconv.FormatBool(c.GitHub.Starter), "false: the first environment makes the repositories")
	}
	for _, owner := range c.GitHub.CodeOwners {
		check(codeOwner.MatchString(owner), "github.codeOwners", owner, `users and teams such as "@acme/platform"`)
	}
	roles := []string{string(pipelines.Software), string(pipelines.Image), string(pipelines.Infrastructure), string(pipelines.DevOps)}
	for role, list := range c.GitHub.Checks {
		check(slices.Contains(roles, role), "github.checks", role, "one of "+strings.Join(roles, ", "))
		for i, name := range list {
			check(checkName.MatchString(name) && !slices.Contains(list[:i], name), "github.checks."+role, name, "names of status checks, each once")
		}
	}
	check(c.GitHub.ChecksApp > 0, "github.checksApp", strconv.Itoa(c.GitHub.ChecksApp), "the ID of a GitHub App")
	check(issuer.MatchString(c.GitHub.Issuer), "github.issuer", c.GitHub.Issuer, "a host and a path without https://")
	reviewers := slices.Concat(c.GitHub.Reviewers.Teams, c.GitHub.Reviewers.Users)
	check(len(reviewers) <= 6 && !slices.ContainsFunc(reviewers, func(id int) bool { return id <= 0 }),
		"github.reviewers", fmt.Sprint(reviewers), "the IDs of teams and users, six at most")
}

// adjust is the profile with what the configuration may choose.
func (c Config) adjust(p Profile) Profile {
	if c.Zones != nil {
		p.Zones = *c.Zones
	}
	return p
}
