package environments

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/tekpossible/ha-devops/internal/release"
)

// The values of the output promotion: how an environment's release stands to that of the environment it is promoted from.
const (
	// PromotionFirst is what the first environment says: nothing is promoted into it.
	PromotionFirst = "first"
	// PromotionNone: the environment has no release yet.
	PromotionNone = "no-release"
	// PromotionInSync: upstream runs this release.
	PromotionInSync = "in-sync"
	// PromotionBehind: upstream ran this release, and runs another one now.
	PromotionBehind = "behind"
	// PromotionNeverUpstream: this release is none of the last maxHistory that upstream ran.
	PromotionNeverUpstream = "never-upstream"
)

// PromotionMeaning says what a value of the output promotion means, in a sentence.
func PromotionMeaning(p Profile, promotion string) string {
	switch promotion {
	case PromotionFirst:
		return "Nothing is promoted into this environment: releases begin here."
	case PromotionNone:
		return "The environment has no release yet."
	case PromotionInSync:
		return fmt.Sprintf("%s runs this release now.", p.Upstream)
	case PromotionBehind:
		return fmt.Sprintf("%s ran this release and runs another one now.", p.Upstream)
	case PromotionNeverUpstream:
		return fmt.Sprintf("%s never ran this release.", p.Upstream)
	}
	return "It is not known how the release stands to upstream's."
}

// maxHistory is how many releases a stack remembers: some 5 KB of outputs, and months of releases of a busy team.
const maxHistory = 100

// history is which releases an environment ran, the newest first. A stack keeps it in an output, since nothing else knows it for
// all environments alike: a branch's commits say what was handed off and not what was approved, and cannot be listed with the GitHub
// provider. It is one string, because lists break update plans, and changes only with the release.
type history []deployed

type deployed struct{ tag, ami string }

func parseHistory(text string) history {
	var h history
	for word := range strings.FieldsSeq(text) {
		tag, ami, _ := strings.Cut(word, "=")
		h = append(h, deployed{tag, ami})
	}
	return h
}

// String is the history as the output has it.
func (h history) String() string {
	var words []string
	for _, d := range h {
		words = append(words, d.tag+"="+d.ami)
	}
	return strings.Join(words, " ")
}

// with is the history after a release; a rollback brings a release back to its front.
func (h history) with(now running) history {
	if now.AMI == "" {
		return h
	}
	earlier := slices.DeleteFunc(slices.Clone(h), func(d deployed) bool { return d.ami == now.AMI })
	after := append(history{{now.ArtifactTag, now.AMI}}, earlier...)
	return after[:min(len(after), maxHistory)]
}

// upstream is what the environment that releases are promoted from says about itself, and about those before it.
type upstream struct {
	account  string
	ami      string
	tag      string
	history  history
	networks string
}

// readUpstream reads the outputs of the upstream environment's stack.
func readUpstream(ctx *pulumi.Context, p Profile) (upstream, error) {
	if p.Upstream == "" {
		return upstream{}, nil
	}
	output, err := readStack(ctx, p.Upstream)
	if err != nil {
		return upstream{}, fmt.Errorf("%s is promoted from %s: %w; run pulumi up for stack %s first", p.Environment, p.Upstream, err, p.Upstream)
	}
	return upstreamOf(output), nil
}

func upstreamOf(output map[string]string) upstream {
	return upstream{
		account: output[outputAccount], ami: output[OutputAMI], tag: output[OutputArtifactTag],
		history: parseHistory(output[outputHistory]), networks: output[outputNetworks],
	}
}

// memory is what an environment's own stack remembers from before this run.
type memory struct {
	history history
	// commit is the infrastructure commit that a pipeline deployed last.
	commit string
}

func readMemory(ctx *pulumi.Context) (memory, error) {
	output, err := readStack(ctx, ctx.Stack())
	return memory{history: parseHistory(output[outputHistory]), commit: output[OutputCommit]}, err
}

// readStack reads the outputs that stacks tell each other; one that the stack does not have is empty.
func readStack(ctx *pulumi.Context, environment string) (map[string]string, error) {
	name := ctx.Organization() + "/" + ctx.Project() + "/" + environment
	stack, err := pulumi.NewStackReference(ctx, name, nil)
	if err != nil {
		return nil, fmt.Errorf("stack %s: %w", name, err)
	}
	outputs := map[string]string{}
	for _, key := range []string{outputAccount, OutputAMI, OutputArtifactTag, outputHistory, outputNetworks, OutputCommit} {
		details, err := stack.GetOutputDetails(key)
		if err != nil {
			return nil, fmt.Errorf("stack %s: output %s: %w", name, key, err)
		}
		outputs[key], _ = details.Value.(string)
	}
	return outputs, nil
}

// promotion says how an environment's release stands to upstream's. In one account a release is its AMI. Environments in accounts of
// their own bake the same artifact into AMIs of their own, so that there it is the artifact.
func (now running) promotion(p Profile, c Config, up upstream) string {
	same := func(d deployed) bool {
		return d.ami == now.AMI || up.account != c.Account && d.tag == now.ArtifactTag
	}
	switch {
	case p.Upstream == "":
		return PromotionFirst
	case now.AMI == "":
		return PromotionNone
	case same(deployed{up.tag, up.ami}):
		return PromotionInSync
	case slices.ContainsFunc(up.history, same):
		return PromotionBehind
	}
	return PromotionNeverUpstream
}

// PromotionOf says how a release stands to upstream's as that is now, by the outputs of upstream's stack; an empty AMI is none.
func PromotionOf(p Profile, c Config, released release.Release, ami string, outputs map[string]string) string {
	return running{Release: released, AMI: ami}.promotion(p, c, upstreamOf(outputs))
}

// apart refuses a network that overlaps with that of an environment further up. Each stack hands on its own network and those before
// it, so that the last one sees all. A network that is moved into one further down is found there, by the next update.
func (up upstream) apart(p Profile, c Config) error {
	mine := netip.MustParsePrefix(c.CIDR)
	for word := range strings.FieldsSeq(up.networks) {
		environment, cidr, _ := strings.Cut(word, "=")
		if theirs, err := netip.ParsePrefix(cidr); err == nil && theirs.Overlaps(mine) {
			return fmt.Errorf("%s: %s: %q is not allowed; expected a network apart from %s, which is %s's", file(p), Key("cidr"), c.CIDR, cidr, environment)
		}
	}
	return nil
}

// handedOn are the networks that the next environment stays apart from.
func (up upstream) handedOn(p Profile, c Config) string {
	return strings.TrimSpace(up.networks + " " + p.Environment + "=" + c.CIDR)
}
