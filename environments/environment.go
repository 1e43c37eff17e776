// Package environments composes the components into one stack per environment. Profile says in what the environments differ, Config
// what the platform team decides in Pulumi.<stack>.yaml, and the release comes from git.
package environments

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/components"
	"github.com/tekpossible/ha-devops/internal/names"
	"github.com/tekpossible/ha-devops/internal/vars"
	"github.com/tekpossible/ha-devops/pipelines"
)

// Deploy is the Pulumi program: it makes the environment that the stack is named after. `pulumi up` runs it through main.go, relay
// runs it inside the infrastructure pipeline.
func Deploy(ctx *pulumi.Context) error {
	profile, err := ProfileOf(ctx.Stack())
	if err != nil {
		return err
	}
	config, err := ReadConfig(profile, func(key string) (string, bool) { return ctx.GetConfig(Key(key)) })
	if err != nil {
		return err
	}
	profile = config.adjust(profile)
	up, err := readUpstream(ctx, profile)
	if err != nil {
		return err
	}
	if err := up.apart(profile, config); err != nil {
		return err
	}
	before, err := readMemory(ctx)
	if err != nil {
		return err
	}
	providers, err := newProviders(ctx, profile, config)
	if err != nil {
		return err
	}
	now, err := readRunning(ctx, config, profile.Environment, up, pulumi.Provider(providers.github), pulumi.Provider(providers.aws))
	if err != nil {
		return err
	}
	zones, err := zones(ctx, profile, config, providers)
	if err != nil {
		return err
	}
	stack, err := compose(ctx, profile, config, providers, now, zones)
	if err != nil {
		return err
	}
	return stack.export(ctx, profile, config, now, up, before)
}

type providers struct {
	aws    *aws.Provider
	github *github.Provider
}

func newProviders(ctx *pulumi.Context, p Profile, c Config) (providers, error) {
	args := &aws.ProviderArgs{
		Region: pulumi.String(c.Region), AllowedAccountIds: pulumi.ToStringArray([]string{c.Account}),
		DefaultTags: aws.ProviderDefaultTagsArgs{Tags: pulumi.ToStringMap(names.AllTags(c.Product, p.Environment))},
	}
	if c.AssumeRole != "" {
		args.AssumeRole = aws.ProviderAssumeRoleArgs{RoleArn: pulumi.String(c.AssumeRole)}
	}
	cloud, err := aws.NewProvider(ctx, "aws", args)
	if err != nil {
		return providers{}, err
	}
	// The SDK would write the token that it finds here into the stack's state, where everybody reads it who may preview. The provider's
	// plugin finds it by itself: the Pulumi CLI starts it with its own environment.
	if err := os.Unsetenv("GITHUB_TOKEN"); err != nil {
		return providers{}, err
	}
	hub, err := github.NewProvider(ctx, "github", &github.ProviderArgs{Owner: pulumi.String(c.GitHub.Owner), BaseUrl: pulumi.String(c.GitHub.API)})
	return providers{aws: cloud, github: hub}, err
}

// zones are the names of the availability zones that the environment uses: the first of the region's, in their order.
func zones(ctx *pulumi.Context, p Profile, c Config, providers providers) ([]string, error) {
	state := "available"
	all, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		State: &state,
		// Without the local zones that an account has opted in to.
		Filters: []aws.GetAvailabilityZonesFilter{{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}},
	}, pulumi.Provider(providers.aws))
	if err != nil {
		return nil, fmt.Errorf("looking up the availability zones of %s: %w", c.Region, err)
	}
	if len(all.Names) < p.Zones {
		return nil, fmt.Errorf("%s: %s: region %s has %d availability zones; %s needs %d", file(p), Key("region"), c.Region, len(all.Names), p.Environment, p.Zones)
	}
	return all.Names[:p.Zones], nil
}

// Facts are what the pipelines' definitions are filled with.
func (c Config) Facts(p Profile) pipelines.Facts {
	f := pipelines.Facts{
		Product: c.Product, Environment: p.Environment, Account: c.Account, Region: c.Region,
		GitHub: vars.GitHub{Owner: c.GitHub.Owner, API: c.GitHub.API, Secret: c.GitHub.Secret},
		Repositories: map[pipelines.Role]string{
			pipelines.Software: c.GitHub.Software, pipelines.Image: c.GitHub.Image,
			pipelines.Infrastructure: c.GitHub.Infrastructure, pipelines.DevOps: c.GitHub.DevOps,
		},
		Relay: c.Relay, Plugins: c.Plugins, Bake: c.Bake, SecretsKey: c.SecretsKey, BaseImage: c.BaseImage, StateBucket: stateBucket(c.Backend), ReviewHours: c.Review.Hours,
	}
	if c.PulumiCLI != nil {
		f.Pulumi = *c.PulumiCLI
	}
	return f
}

// stack is what an environment consists of.
type stack struct {
	repositories map[pipelines.Role]*components.Repo
	delivery     *components.Delivery
	factory      *components.ImageFactory
	pipelines    map[pipelines.Role]*components.BranchPipeline
	checks       *components.Checks
	app          *components.AppEnvironment
}

func compose(ctx *pulumi.Context, p Profile, c Config, providers providers, now running, zones []string) (*stack, error) {
	with := pulumi.Providers(providers.aws, providers.github)
	f := c.Facts(p)
	s := &stack{repositories: map[pipelines.Role]*components.Repo{}, pipelines: map[pipelines.Role]*components.BranchPipeline{}}
	var err error
	if err = s.repos(ctx, p, c, f, with); err != nil {
		return nil, err
	}
	if err = s.check(ctx, c, f, with); err != nil {
		return nil, err
	}
	if s.delivery, err = components.NewDelivery(ctx, "delivery", &components.DeliveryArgs{
		Facts: f, Config: c.text(), Approvers: c.Approvers, LogRetentionDays: p.LogRetentionDays,
	}, with); err != nil {
		return nil, err
	}
	if s.factory, err = components.NewImageFactory(ctx, "image-factory", &components.ImageFactoryArgs{
		Facts: f, Bucket: s.delivery.Bucket, KeyArn: s.delivery.KeyArn, AlertTopicArn: s.delivery.AlertTopicArn, LogRetentionDays: p.LogRetentionDays,
	}, with); err != nil {
		return nil, err
	}
	for _, definition := range definitions(f) {
		repository := s.repositories[definition.Role]
		if s.pipelines[definition.Role], err = components.NewBranchPipeline(ctx, string(definition.Role), &components.BranchPipelineArgs{
			Facts: f, Definition: definition, Repository: c.GitHub.Owner + "/" + f.Repositories[definition.Role], Branch: p.Environment,
			ConnectionArn: s.delivery.ConnectionArn, Bucket: s.delivery.Bucket, KeyArn: s.delivery.KeyArn,
			ApprovalTopicArn: s.delivery.ApprovalTopicArn, AlertTopicArn: s.delivery.AlertTopicArn, LogRetentionDays: p.LogRetentionDays,
		}, with, pulumi.DependsOn([]pulumi.Resource{repository.Guard, s.factory.Pipeline})); err != nil {
			return nil, err
		}
	}
	// The configuration was validated.
	network := netip.MustParsePrefix(c.CIDR)
	s.app, err = components.NewAppEnvironment(ctx, "app", &components.AppEnvironmentArgs{
		Facts: f, CIDR: network, Zones: zones, Exposure: p.Exposure, Reach: c.Reach, Spec: now.Spec, Capacity: p.capacity(now.Spec.Capacity),
		AMI: now.AMI, ArtifactTag: now.ArtifactTag, RootDevice: now.RootDevice, CertificateArn: c.Certificate, Domain: c.Domain,
		WebFirewall: p.WebFirewall, Protect: p.Protect, KeyArn: s.delivery.KeyArn, LogRetentionDays: p.LogRetentionDays, Operators: c.Operators,
	}, with)
	return s, err
}

// text is the configuration as the infrastructure pipeline gets it: without the pinned commit, which is each run's own.
func (c Config) text() string {
	c.Commit = ""
	text, _ := json.Marshal(c)
	return string(text)
}
