package environments

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/envspec"
	"github.com/tekpossible/ha-devops/internal/release"
)

// running is what an environment is to run, as git says it: the AMI, where it came from, and the shape of the systems.
type running struct {
	release.Release
	// AMI is empty while the environment has no release.
	AMI string
	// RootDevice is the name of the AMI's root device.
	RootDevice string
	// Spec is the infrastructure repository's environment.json.
	Spec envspec.Spec
}

// readRunning reads what git says that the environment runs: ami-id and environment.json of the infrastructure repository, at its
// branch or at the commit that the configuration pins. Where the branch names no AMI yet, upstream's release is the first one.
// The release's tag and commits are those that the AMI bears.
func readRunning(ctx *pulumi.Context, c Config, branch string, up upstream, gh, cloud pulumi.InvokeOption) (running, error) {
	ref := branch
	if c.Commit != "" {
		ref = c.Commit
	}
	repository := c.GitHub.Owner + "/" + c.GitHub.Infrastructure
	shape, err := readFile(ctx, repository, ref, envspec.File, gh)
	if err != nil {
		return running{}, err
	}
	now := running{}
	if now.Spec, err = envspec.Parse([]byte(shape)); err != nil {
		return running{}, fmt.Errorf("repository %s at %s: %w", repository, ref, err)
	}
	named, err := readFile(ctx, repository, ref, release.AMIFile, gh)
	if err != nil {
		return running{}, err
	}
	if strings.TrimSpace(named) == "" {
		now.AMI = up.ami
	} else if now.AMI, err = release.ParseAMI(named); err != nil {
		return running{}, fmt.Errorf("repository %s at %s: %w", repository, ref, err)
	}
	if now.AMI == "" {
		return now, nil
	}
	image, err := ec2.LookupAmi(ctx, &ec2.LookupAmiArgs{
		Owners:  []string{"self"},
		Filters: []ec2.GetAmiFilter{{Name: "image-id", Values: []string{now.AMI}}},
	}, cloud)
	if err != nil {
		return running{}, fmt.Errorf("repository %s at %s: %s names %s, which account %s does not have in %s: %w",
			repository, ref, release.AMIFile, now.AMI, c.Account, c.Region, err)
	}
	if image.State != "available" {
		return running{}, fmt.Errorf("repository %s at %s: %s names %s, which is %s; expected an AMI that is available",
			repository, ref, release.AMIFile, now.AMI, image.State)
	}
	now.Release, now.RootDevice = release.FromTags(image.Tags), image.RootDeviceName
	return now, nil
}

// readFile reads a file of a repository. A file, branch or repository that does not exist has no content: that is how the GitHub
// provider answers 404 (terraform-provider-github, data source github_repository_file).
func readFile(ctx *pulumi.Context, repository, ref, path string, gh pulumi.InvokeOption) (string, error) {
	result, err := github.LookupRepositoryFile(ctx, &github.LookupRepositoryFileArgs{Repository: repository, Branch: &ref, File: path}, gh)
	if err != nil {
		return "", fmt.Errorf("reading %s of %s at %s: %w", path, repository, ref, err)
	}
	return result.Content, nil
}
