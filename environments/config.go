package environments

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/pipelines"
)

// Project is the Pulumi project's name, and with it the namespace of its configuration.
const Project = "ha-devops"

// Config is a stack's configuration: each field is a key of the namespace ha-devops in Pulumi.<stack>.yaml.
type Config struct {
	// Product is the prefix of all names: two products live side by side in one account.
	Product string `json:"product"`
	// Account is the AWS account's ID; a run with credentials of another account is refused.
	Account string `json:"account"`
	// Region is the AWS region.
	Region string `json:"region"`
	// AssumeRole is the ARN of a role to work with, for an environment in an account of its own. Optional.
	AssumeRole string `json:"assumeRole,omitempty"`
	// CIDR is the network's range, a private IPv4 /16 to /20. Ranges of environments must not overlap.
	CIDR string `json:"cidr"`
	// Zones is the number of availability zones, 2 to 6. Optional, and production's only: qa and dev keep their profile's.
	Zones *int `json:"zones,omitempty"`
	// Reach are the CIDRs that may reach the load balancer: the team's in dev, the testers' in qa. Production is reached by all.
	Reach []string `json:"reach,omitempty"`
	// Domain is the name under which people reach the load balancer. ACM is asked for its certificate, which the first pulumi up waits
	// for until the DNS record that ACM names in its console is there. Outside dev either it or Certificate is needed.
	Domain string `json:"domain,omitempty"`
	// Certificate is the ARN of a certificate in ACM, in the environment's region, that the load balancer shows instead. In dev it speaks
	// HTTP without both.
	Certificate string `json:"certificate,omitempty"`
	// BaseImage is what images are built on. Optional; Amazon Linux 2023 by default.
	BaseImage string `json:"baseImage,omitempty"`
	// GitHub says where the repositories are and who writes to them.
	GitHub GitHub `json:"github"`
	// Approvers are the e-mail addresses that hear of waiting reviews and of what fails. Optional.
	Approvers []string `json:"approvers,omitempty"`
	// Operators are the e-mail addresses that hear of alarms. Optional.
	Operators []string `json:"operators,omitempty"`
	// Relay is the relay binary that pipelines run.
	Relay pipelines.Tool `json:"relay"`
	// PulumiCLI is the Pulumi CLI that the infrastructure pipeline runs. Optional; by default the build image's own.
	PulumiCLI *pipelines.Tool `json:"pulumiCLI,omitempty"`
	// Plugins are the Pulumi provider plugins that the infrastructure pipeline runs, one for each provider of the program. Optional; by
	// default those that the build image finds.
	Plugins []pipelines.Plugin `json:"plugins,omitempty"`
	// Bake says how images are made. Optional; every field has a default.
	Bake pipelines.Bake `json:"bake,omitzero"`
	// Review says what an approval is worth. Optional; every field has a default.
	Review Review `json:"review,omitzero"`
	// Backend is the URL of the Pulumi backend that keeps the state, such as s3://my-state.
	Backend string `json:"backend"`
	// SecretsKey is the ARN of the KMS key that the stack's secrets are encrypted with. Optional.
	SecretsKey string `json:"secretsKey,omitempty"`
	// Commit pins the infrastructure repository's commit that is deployed. Pipelines set it; by default it is the branch's newest.
	Commit string `json:"commit,omitempty"`
}

// GitHub says where the repositories are and who writes to them.
type GitHub struct {
	// Owner is the organization or user.
	Owner string `json:"owner"`
	// App is the ID of the GitHub App whose token the pipelines use: it alone may commit past the rulesets.
	App int `json:"app"`
	// Secret is the ARN of the Secrets Manager secret with the token, or with the App's key (internal/github.Fetch describes both).
	Secret string `json:"secret"`
	// API is the root of the REST API with a slash at its end. Optional; https://api.github.com/ by default.
	API string `json:"api,omitempty"`
	// Software, Image, Infrastructure and DevOps are the repositories' names. Optional; <product>-<role> by default.
	Software       string `json:"software,omitempty"`
	Image          string `json:"image,omitempty"`
	Infrastructure string `json:"infrastructure,omitempty"`
	DevOps         string `json:"devops,omitempty"`
	// Starter writes starter files into the repositories, once. It is for the first environment, which makes the repositories, and
	// for empty ones: a file that is there already is refused. Optional; without it, components.PromotionWorkflow must come with the
	// content, because the rulesets require its check.
	Starter bool `json:"starter,omitempty"`
	// CodeOwners are the owners in the starter file CODEOWNERS, such as "@acme/platform". Optional.
	CodeOwners []string `json:"codeOwners,omitempty"`
	// Checks are the status checks that a pull request needs, by role of the repository, as the repository's CI names them. Optional.
	Checks map[string][]string `json:"checks,omitempty"`
	// ChecksApp is the ID of the App that reports the promotion check. Optional; GitHub Actions of github.com by default. Another
	// GitHub server's Actions has another ID (GET /apps/github-actions).
	ChecksApp int `json:"checksApp,omitempty"`
	// TrustIssuer makes the account's identity provider for the tokens of GitHub Actions, with which the checks of pull requests take on
	// roles that only read. An account has one: set it in the first stack of each account, in none where the account has it already.
	TrustIssuer bool `json:"trustIssuer,omitempty"`
	// Issuer is who signs these tokens, without https://. Optional; token.actions.githubusercontent.com by default. GitHub Enterprise
	// Server's is HOST/_services/token.
	Issuer string `json:"issuer,omitempty"`
	// Reviewers approve each run of a pull request's checks. Optional; required reviewers in private repositories need GitHub Enterprise.
	Reviewers components.Reviewers `json:"reviewers,omitzero"`
}

// actionsApp is the ID of the GitHub App github-actions on github.com.
const actionsApp = 15368

// ReadConfig reads and validates a stack's configuration; get looks a key up, without its namespace, and returns scalars as they
// are and everything else in JSON, as Pulumi does. Its error names every problem at once.
func ReadConfig(profile Profile, get func(key string) (string, bool)) (Config, error) {
	var config Config
	var problems []error
	value := reflect.ValueOf(&config).Elem()
	for i := range value.NumField() {
		key, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		text, ok := get(key)
		if !ok {
			continue
		}
		if err := decode(text, value.Field(i).Addr().Interface()); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s: %w", file(profile), Key(key), err))
		}
	}
	problems = append(problems, config.complete().validate(profile)...)
	return config, errors.Join(problems...)
}

// Key returns a configuration key with its namespace.
func Key(key string) string { return Project + ":" + key }

// Values returns the configuration as Pulumi keeps it: by key without namespace, scalars as they are, everything else in JSON.
// ReadConfig reads the same configuration from them.
func (c Config) Values() map[string]string {
	// A Config holds strings, numbers and lists of them, which always marshal.
	text, _ := json.Marshal(c)
	var raw map[string]json.RawMessage
	_ = json.Unmarshal(text, &raw)
	values := map[string]string{}
	for key, value := range raw {
		var scalar string
		if json.Unmarshal(value, &scalar) != nil {
			scalar = string(value)
		}
		values[key] = scalar
	}
	return values
}

func file(p Profile) string { return "Pulumi." + p.Environment + ".yaml" }

// complete fills in what may be left out.
func (c *Config) complete() *Config {
	fill := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	fill(&c.GitHub.API, "https://api.github.com/")
	fill(&c.GitHub.Software, c.Product+"-software")
	fill(&c.GitHub.Image, c.Product+"-image")
	fill(&c.GitHub.Infrastructure, c.Product+"-infrastructure")
	fill(&c.GitHub.DevOps, c.Product+"-devops")
	fill(&c.GitHub.Issuer, "token.actions.githubusercontent.com")
	if c.GitHub.ChecksApp == 0 {
		c.GitHub.ChecksApp = actionsApp
	}
	if c.Review.Hours == 0 {
		c.Review.Hours = defaultReviewHours
	}
	fill(&c.BaseImage, fmt.Sprintf("arn:aws:imagebuilder:%s:aws:image/amazon-linux-2023-x86/x.x.x", c.Region))
	return c
}

var (
	product    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,18}[a-z0-9]$`)
	account    = regexp.MustCompile(`^[0-9]{12}$`)
	region     = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	repository = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	baseImage  = regexp.MustCompile(`^(ami-[0-9a-f]{8,17}|arn:aws[a-z-]*:imagebuilder:.+:image/.+|ssm:.+)$`)
	object     = regexp.MustCompile(`^s3://[a-z0-9.-]{3,63}/.+$`)
	digest     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	address    = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	commit     = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

func (c *Config) validate(p Profile) []error {
	var problems []error
	check := func(ok bool, key, value, allowed string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %s: %q is not allowed; expected %s", file(p), Key(key), value, allowed))
		}
	}
	match := func(pattern *regexp.Regexp, key, value, allowed string) {
		check(pattern.MatchString(value), key, value, allowed)
	}
	optional := func(pattern *regexp.Regexp, key, value, allowed string) {
		check(value == "" || pattern.MatchString(value), key, value, allowed)
	}
	match(product, "product", c.Product, "3 to 20 lower-case letters, digits and hyphens, beginning with a letter")
	match(account, "account", c.Account, "the 12 digits of an AWS account ID")
	match(region, "region", c.Region, `an AWS region such as "eu-west-1"`)
	c.checkCertificate(p, check)
	optional(baseImage, "baseImage", c.BaseImage, "an AMI ID or the ARN of an Image Builder image")
	optional(commit, "commit", c.Commit, "the 40 hex digits of a commit")
	network, err := netip.ParsePrefix(c.CIDR)
	check(err == nil && network.Addr().Is4() && network.Addr().IsPrivate() && network.Masked() == network && network.Bits() >= 16 && network.Bits() <= 20,
		"cidr", c.CIDR, `a private IPv4 network of size /16 to /20 such as "10.10.0.0/16"`)
	c.checkReach(p, check)
	for name, value := range map[string]string{
		"owner": c.GitHub.Owner, "software": c.GitHub.Software, "image": c.GitHub.Image,
		"infrastructure": c.GitHub.Infrastructure, "devops": c.GitHub.DevOps,
	} {
		match(repository, "github."+name, value, "a name of letters, digits, dots, hyphens and underscores")
	}
	check(c.GitHub.App > 0, "github.app", fmt.Sprint(c.GitHub.App), "the ID of a GitHub App")
	api, err := url.Parse(c.GitHub.API)
	check(err == nil && api.Host != "" && strings.HasPrefix(api.Scheme, "http") && strings.HasSuffix(api.Path, "/"), "github.api", c.GitHub.API,
		"a URL with a slash at its end")
	checkTool("relay", c.Relay, check)
	if c.PulumiCLI != nil {
		checkTool("pulumiCLI", *c.PulumiCLI, check)
	}
	checkPlugins(c.Plugins, check)
	checkBake(c.Bake, check)
	backend, err := url.Parse(c.Backend)
	check(err == nil && slices.Contains(backends, backend.Scheme), "backend", c.Backend, `the URL of a Pulumi backend such as "s3://my-state"`)
	for _, a := range c.Approvers {
		match(address, "approvers", a, "e-mail addresses")
	}
	for _, a := range c.Operators {
		match(address, "operators", a, "e-mail addresses")
	}
	c.checkReview(check)
	c.checkPlaces(check)
	c.checkChoices(p, check)
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

func checkTool(key string, tool pipelines.Tool, check func(ok bool, key, value, allowed string)) {
	check(object.MatchString(tool.URI), key+".uri", tool.URI, "an s3:// address")
	check(digest.MatchString(tool.SHA256), key+".sha256", tool.SHA256, "a SHA-256 in 64 hex digits")
}

var domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)

func (c *Config) checkCertificate(p Profile, check func(ok bool, key, value, allowed string)) {
	certificate := regexp.MustCompile(`^arn:aws[a-z-]*:acm:` + regexp.QuoteMeta(c.Region) + `:[0-9]{12}:certificate/.+$`)
	check(c.Domain == "" || domain.MatchString(c.Domain) && len(c.Domain) <= 64, "domain", c.Domain, "a name such as \"shop.example.com\", of at most 64 characters")
	switch {
	case c.Domain != "":
		check(c.Certificate == "", "certificate", c.Certificate, "nothing: the domain gets one of its own")
	case c.Certificate != "" || p.Exposure != components.Team:
		check(certificate.MatchString(c.Certificate), "certificate", c.Certificate, "the ARN of an ACM certificate in the environment's region, or a domain")
	}
}

func (c *Config) checkReach(p Profile, check func(ok bool, key, value, allowed string)) {
	for _, reach := range c.Reach {
		network, err := netip.ParsePrefix(reach)
		check(err == nil && network.Addr().Is4() && network.Bits() >= 8, "reach", reach, "IPv4 networks of size /8 to /32")
	}
	given := strings.Join(c.Reach, ", ")
	switch p.Exposure {
	case components.Testers:
		check(len(c.Reach) > 0, "reach", given, "the testers' CIDRs, at least one")
	case components.Public:
		check(len(c.Reach) == 0, "reach", given, "nothing: everybody reaches production")
	}
}
